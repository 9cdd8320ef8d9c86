// Reads QR codes from the camera, frame by frame, on this machine alone.

const EVERY_MILLISECONDS = 200;
const WIDTH = 640;

/**
 * Wire a button that opens the camera until a code is found.
 *
 * @param {{button: HTMLElement, end: HTMLElement, frame: HTMLElement, video: HTMLVideoElement,
 *          found: (text: string) => void, failed: () => void}} parts
 */
export function scan({ button, end, frame, video, found, failed }) {
  let stream = null;
  let decode = null;
  if (!navigator.mediaDevices?.getUserMedia) return;
  button.hidden = false;

  function stop() {
    for (const track of stream?.getTracks() ?? []) track.stop();
    stream = null;
    video.srcObject = null;
    frame.hidden = true;
    button.focus();
  }

  function look() {
    if (stream === null) return;
    const text = video.videoWidth ? read(video, decode) : null;
    if (text === null) {
      setTimeout(look, EVERY_MILLISECONDS);
    } else {
      stop();
      found(text);
    }
  }

  button.addEventListener("click", async () => {
    try {
      decode ??= (await import("../vendor/qr/decode.js")).default; // large, and seldom wanted
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
      video.srcObject = stream;
      frame.hidden = false;
      await video.play();
      end.focus();
      look();
    } catch {
      stop();
      failed();
    }
  });
  end.addEventListener("click", stop);
}

/** The text of a QR code in the present frame, or null. */
function read(video, decode) {
  const scale = Math.min(1, WIDTH / video.videoWidth);
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(video.videoWidth * scale);
  canvas.height = Math.round(video.videoHeight * scale);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(video, 0, 0, canvas.width, canvas.height);
  try {
    return decode(context.getImageData(0, 0, canvas.width, canvas.height));
  } catch {
    return null; // no code in this frame
  }
}
