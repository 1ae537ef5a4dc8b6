// What type-checked programs may know of node: the parts that programs for a terminal use, and
// `any` for every other module.

declare var process: NodeProcess;
declare var global: typeof globalThis & { [name: string]: any };
declare var console: Console;
declare var __filename: string;
declare var __dirname: string;
declare var module: { exports: any; [name: string]: any };
declare var exports: any;
declare var require: NodeRequire;
declare var performance: { now(): number; timeOrigin: number; [name: string]: any };
declare var crypto: any;
declare var WebAssembly: any;
declare var Buffer: BufferConstructor;
declare var URL: any;
declare var URLSearchParams: any;
declare var TextEncoder: { new (): { encode(text?: string): Uint8Array } };
declare var TextDecoder: {
  new (label?: string, options?: object): { decode(bytes?: ArrayBuffer | ArrayBufferView): string };
};
declare var AbortController: any;
type AbortController = any;
type AbortSignal = any;
type URL = any;

interface NodeRequire {
  (id: 'fs' | 'node:fs'): typeof import('fs');
  (id: 'readline' | 'node:readline'): typeof import('readline');
  (id: string): any;
  main: any;
  resolve(id: string): string;
  cache: any;
}

interface Console {
  log(...values: any[]): void;
  error(...values: any[]): void;
  warn(...values: any[]): void;
  info(...values: any[]): void;
  debug(...values: any[]): void;
  trace(...values: any[]): void;
  table(data: any, columns?: readonly string[]): void;
  dir(value: any, options?: any): void;
  assert(condition?: any, ...values: any[]): void;
  count(label?: string): void;
  countReset(label?: string): void;
  group(...labels: any[]): void;
  groupCollapsed(...labels: any[]): void;
  groupEnd(): void;
  time(label?: string): void;
  timeEnd(label?: string): void;
  timeLog(label?: string, ...values: any[]): void;
  clear(): void;
}

interface NodeEmitter {
  on(event: string | symbol, listener: (...values: any[]) => void): this;
  once(event: string | symbol, listener: (...values: any[]) => void): this;
  off(event: string | symbol, listener: (...values: any[]) => void): this;
  addListener(event: string | symbol, listener: (...values: any[]) => void): this;
  removeListener(event: string | symbol, listener: (...values: any[]) => void): this;
  removeAllListeners(event?: string | symbol): this;
  emit(event: string | symbol, ...values: any[]): boolean;
  [name: string]: any;
}

interface NodeReadable extends NodeEmitter, AsyncIterable<any> {
  fd: number;
  isTTY?: boolean;
  setEncoding(encoding: string): this;
  read(size?: number): any;
  resume(): this;
  pause(): this;
  pipe(target: any): any;
}

interface NodeWritable extends NodeEmitter {
  fd: number;
  isTTY?: boolean;
  write(data: string | Uint8Array, ...rest: any[]): boolean;
  end(...rest: any[]): any;
}

interface NodeProcess extends NodeEmitter {
  stdin: NodeReadable;
  stdout: NodeWritable;
  stderr: NodeWritable;
  argv: string[];
  argv0: string;
  execArgv: string[];
  execPath: string;
  env: { [name: string]: string | undefined };
  exitCode?: number;
  pid: number;
  ppid: number;
  platform: string;
  arch: string;
  version: string;
  versions: { [name: string]: string };
  title: string;
  exit(code?: number): never;
  abort(): never;
  cwd(): string;
  uptime(): number;
  hrtime: { (since?: [number, number]): [number, number]; bigint(): bigint };
  memoryUsage(): { rss: number; heapTotal: number; heapUsed: number; external: number };
  cpuUsage(since?: any): { user: number; system: number };
  nextTick(callback: (...values: any[]) => void, ...values: any[]): void;
}

interface Buffer extends Uint8Array {
  toString(encoding?: string, start?: number, end?: number): string;
  write(text: string, ...rest: any[]): number;
  equals(other: Uint8Array): boolean;
  compare(other: Uint8Array): number;
  copy(target: Uint8Array, ...rest: any[]): number;
  subarray(start?: number, end?: number): Buffer;
  slice(start?: number, end?: number): Buffer;
  [name: `read${string}` | `write${string}`]: any;
}

interface BufferConstructor {
  new (size: number): Buffer;
  from(data: any, ...rest: any[]): Buffer;
  alloc(size: number, ...rest: any[]): Buffer;
  allocUnsafe(size: number): Buffer;
  concat(list: readonly Uint8Array[], length?: number): Buffer;
  byteLength(text: any, encoding?: string): number;
  isBuffer(value: any): value is Buffer;
  compare(one: Uint8Array, other: Uint8Array): number;
}

interface NodeTimer {
  ref(): this;
  unref(): this;
  hasRef(): boolean;
  refresh(): this;
  [Symbol.toPrimitive](): number;
}

declare namespace NodeJS {
  type Timeout = NodeTimer;
  type Timer = NodeTimer;
  type Immediate = NodeTimer;
  type Process = NodeProcess;
  type ReadableStream = NodeReadable;
  type WritableStream = NodeWritable;
  type ProcessEnv = { [name: string]: string | undefined };
  interface ErrnoException extends Error {
    errno?: number;
    code?: string;
    path?: string;
    syscall?: string;
  }
}

declare function setTimeout<A extends any[]>(
  callback: (...values: A) => void,
  ms?: number,
  ...values: A
): NodeTimer;
declare function setInterval<A extends any[]>(
  callback: (...values: A) => void,
  ms?: number,
  ...values: A
): NodeTimer;
declare function setImmediate<A extends any[]>(
  callback: (...values: A) => void,
  ...values: A
): NodeTimer;
declare function clearTimeout(timer?: NodeTimer | number | null): void;
declare function clearInterval(timer?: NodeTimer | number | null): void;
declare function clearImmediate(timer?: NodeTimer | number | null): void;
declare function queueMicrotask(callback: () => void): void;
declare function structuredClone<T>(value: T, options?: any): T;

declare module 'fs' {
  type Path = string | Uint8Array | number;
  type Text = BufferEncoding | { encoding: BufferEncoding; flag?: string };
  type BufferEncoding =
    | 'ascii'
    | 'utf8'
    | 'utf-8'
    | 'utf16le'
    | 'ucs2'
    | 'base64'
    | 'base64url'
    | 'latin1'
    | 'binary'
    | 'hex';
  export function readFileSync(path: Path, options: Text): string;
  export function readFileSync(
    path: Path,
    options?: { encoding?: null; flag?: string } | null,
  ): Buffer;
  export function readFileSync(path: Path, options?: any): string | Buffer;
  export function writeFileSync(path: Path, data: string | ArrayBufferView, options?: any): void;
  export function appendFileSync(path: Path, data: string | Uint8Array, options?: any): void;
  export function existsSync(path: Path): boolean;
  export function readSync(fd: number, buffer: ArrayBufferView, ...rest: any[]): number;
  export function writeSync(fd: number, data: string | ArrayBufferView, ...rest: any[]): number;
  export function openSync(path: Path, flags?: string | number, mode?: any): number;
  export function closeSync(fd: number): void;
  export function createReadStream(path: Path, options?: any): NodeReadable;
  export function createWriteStream(path: Path, options?: any): NodeWritable;
  export function readFile(path: Path, ...rest: any[]): void;
  export function writeFile(path: Path, ...rest: any[]): void;
  export function fstatSync(fd: number, options?: any): any;
  export function statSync(path: Path, options?: any): any;
  export function readdirSync(path: Path, options?: any): any[];
  export function mkdirSync(path: Path, options?: any): any;
  export function unlinkSync(path: Path): void;
  export function rmSync(path: Path, options?: any): void;
  export const promises: any;
  export const constants: any;
}

declare module 'node:fs' {
  export * from 'fs';
}

declare module 'readline' {
  export interface Interface extends NodeEmitter, AsyncIterable<string> {
    question(query: string, callback: (answer: string) => void): void;
    question(query: string, options: any, callback: (answer: string) => void): void;
    close(): void;
    pause(): this;
    resume(): this;
    prompt(preserveCursor?: boolean): void;
    setPrompt(prompt: string): void;
    write(data: any, key?: any): void;
  }
  export type ReadLine = Interface;
  export function createInterface(options: {
    input: any;
    output?: any;
    terminal?: boolean;
    crlfDelay?: number;
    [name: string]: any;
  }): Interface;
  export function createInterface(input: any, output?: any, ...rest: any[]): Interface;
  export function cursorTo(...values: any[]): boolean;
  export function clearLine(...values: any[]): boolean;
}

declare module 'node:readline' {
  export * from 'readline';
}

declare module 'events' {
  class EventEmitter implements NodeEmitter {
    on(event: string | symbol, listener: (...values: any[]) => void): this;
    once(event: string | symbol, listener: (...values: any[]) => void): this;
    off(event: string | symbol, listener: (...values: any[]) => void): this;
    addListener(event: string | symbol, listener: (...values: any[]) => void): this;
    removeListener(event: string | symbol, listener: (...values: any[]) => void): this;
    removeAllListeners(event?: string | symbol): this;
    emit(event: string | symbol, ...values: any[]): boolean;
    [name: string]: any;
  }
  namespace EventEmitter {
    export { EventEmitter };
  }
  export = EventEmitter;
}

declare module 'node:events' {
  import EventEmitter = require('events');
  export = EventEmitter;
}

declare module '*';
