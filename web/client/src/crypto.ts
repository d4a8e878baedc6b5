/**
 * Ed25519 and SHA-256 by WebCrypto, or by the noble packages where a browser lacks
 * them: before Chrome 137, or on a page that did not come over HTTPS.
 */
import { readBase64url } from './strict.js';
import type { Bytes } from './strict.js';

/** What the client needs of cryptography. */
export interface Crypto {
  /** Whether `signature` (64 bytes) over `message` is by `key` (32 bytes). Never throws. */
  verify(key: Bytes, signature: Bytes, message: Bytes): Promise<boolean>;
  sha256(bytes: Bytes): Promise<Bytes>;
}

/** RFC 8032, 7.1, test 1: a signature over nothing, which only a working verifier accepts. */
const proof = {
  key: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
  signature: '5VZDAMNgrHKQhuLMgG6CioSHfx645dl02HPgZSJJAVVfuIIVkKM7rMYeOXAc-bRr0lv18FlbviRlUUFDjnoQCw',
};

/** By WebCrypto; undefined where this runtime's has no Ed25519. */
export async function webCrypto(): Promise<Crypto | undefined> {
  const subtle: SubtleCrypto | undefined = globalThis.crypto?.subtle;
  if (subtle === undefined) return undefined;
  const imported = new Map<string, CryptoKey>();
  const keyOf = async (key: Bytes): Promise<CryptoKey> => {
    const name = key.join();
    const known = imported.get(name);
    if (known !== undefined) return known;
    const made = await subtle.importKey('raw', key, 'Ed25519', false, ['verify']);
    // A key list holds few keys; a client that has met this many starts again.
    if (imported.size >= 64) imported.clear();
    imported.set(name, made);
    return made;
  };
  const made: Crypto = {
    async verify(key, signature, message) {
      try {
        return await subtle.verify('Ed25519', await keyOf(key), signature, message);
      } catch {
        return false;
      }
    },
    async sha256(bytes) {
      return new Uint8Array(await subtle.digest('SHA-256', bytes));
    },
  };
  const works = await made.verify(readBase64url(proof.key), readBase64url(proof.signature), new Uint8Array());
  return works ? made : undefined;
}

/** By the noble packages, which are fetched only when they are needed. */
export async function nobleCrypto(): Promise<Crypto> {
  const [ed, sha] = await Promise.all([import('@noble/ed25519'), import('@noble/hashes/sha2.js')]);
  ed.hashes.sha512 = sha.sha512;
  return {
    async verify(key, signature, message) {
      try {
        return ed.verify(signature, message, key, { zip215: false });
      } catch {
        return false;
      }
    },
    async sha256(bytes) {
      return new Uint8Array(sha.sha256(bytes));
    },
  };
}
