export { Client, byGravity, createClient } from './client.js';
export type { Answer, Condition, Options, Verdict, ZoneState } from './client.js';
export { nobleCrypto, webCrypto } from './crypto.js';
export type { Crypto } from './crypto.js';
export { ends, maxFrame, pictures, stages, sures, threats, universes } from './frame.js';
export type { Beat, Board, Change, End, Frame, Item, Picture, Stage, Sure, Threat, Universe } from './frame.js';
export { Refused } from './strict.js';
export { connect } from './transport.js';
export type { Connection, From, TransportOptions } from './transport.js';
