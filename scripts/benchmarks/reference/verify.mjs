// The peer of `scripts/bench documents`: verifies credentials with the JavaScript reference library.
//
//   node verify.mjs WORK.json
//
// WORK.json: {"contexts": {address: context}, "credentials": [signed by a did:key]}. For each line on standard
// input all credentials are verified once, one after the other, and a line of JSON says how many seconds of
// processor time of this process, with all its threads, that took. Nothing is ever fetched.

import {readFileSync} from 'node:fs';
import {createInterface} from 'node:readline';

import {DataIntegrityProof} from '@digitalbazaar/data-integrity';
import {cryptosuite} from '@digitalbazaar/eddsa-rdfc-2022-cryptosuite';
import {verifyCredential} from '@digitalbazaar/vc';

const {contexts, credentials} = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const MULTIKEY = 'https://w3id.org/security/multikey/v1';

function keyDocument(url) {
  const [did, fragment] = url.split('#');
  const multikey = did.slice('did:key:'.length);
  const method = {
    '@context': MULTIKEY, id: `${did}#${multikey}`, type: 'Multikey', controller: did, publicKeyMultibase: multikey,
  };
  return fragment ? method : {
    '@context': ['https://www.w3.org/ns/did/v1', MULTIKEY],
    id: did, verificationMethod: [method], assertionMethod: [method.id],
  };
}

async function documentLoader(url) {
  const document = url.startsWith('did:key:') ? keyDocument(url) : contexts[url];
  if (document === undefined) {
    throw new Error(`nothing is fetched: ${url}`);
  }
  return {contextUrl: null, documentUrl: url, document};
}

async function verifyAll() {
  const suite = new DataIntegrityProof({cryptosuite});
  for (const credential of credentials) {
    const result = await verifyCredential({credential, suite, documentLoader});
    if (!result.verified) {
      throw result.error;
    }
  }
}

for await (const _ of createInterface({input: process.stdin})) {
  const before = process.cpuUsage();
  await verifyAll();
  const {user, system} = process.cpuUsage(before);
  console.log(JSON.stringify((user + system) / 1e6));
}
