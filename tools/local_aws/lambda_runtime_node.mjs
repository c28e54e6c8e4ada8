// The process in which a Node function of the local AWS lives: it calls the handler, and waits.
//
// `lambda_process` starts it as `node FILE FD`. The frames on that socket are those of
// lambda_runtime_python.py; kind fatal: an error that ends this process. On AWS a callback handler is answered when the event loop is empty
// (unless context.callbackWaitsForEmptyEventLoop is false), an async one when its promise ends.
import fs from 'node:fs';
import { createRequire } from 'node:module';
import net from 'node:net';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import util from 'node:util';

const LENGTHS_BYTES = 8;

class Channel {
  constructor(descriptor) {
    this.socket = new net.Socket({ fd: descriptor, readable: true, writable: true });
    this.chunks = Buffer.alloc(0);
    this.waiting = null;
    this.socket.on('data', (chunk) => {
      this.chunks = this.chunks.length ? Buffer.concat([this.chunks, chunk]) : chunk;
      this.deliver();
    });
    for (const end of ['end', 'error', 'close']) this.socket.on(end, () => process.exit(0));
  }

  deliver() {
    if (!this.waiting || this.chunks.length < LENGTHS_BYTES) return;
    const header = LENGTHS_BYTES + this.chunks.readUInt32BE(0);
    const whole = header + this.chunks.readUInt32BE(4);
    if (this.chunks.length < whole) return;
    const frame = [
      JSON.parse(this.chunks.toString('utf8', LENGTHS_BYTES, header)),
      this.chunks.toString('utf8', header, whole),
    ];
    this.chunks = this.chunks.subarray(whole);
    const resolve = this.waiting;
    this.waiting = null;
    resolve(frame);
  }

  read() {
    return new Promise((resolve) => {
      this.waiting = resolve;
      this.deliver();
    });
  }

  write(kind, body = '', errorType = '', then = undefined) {
    const header = Buffer.from(JSON.stringify({ kind, errorType }));
    const content = Buffer.from(body);
    const lengths = Buffer.alloc(LENGTHS_BYTES);
    lengths.writeUInt32BE(header.length, 0);
    lengths.writeUInt32BE(content.length, 4);
    this.socket.write(Buffer.concat([lengths, header, content]), then);
  }
}

class Fault extends Error {
  constructor(type, message, cause = undefined) {
    super(message);
    this.name = type;
    if (cause?.stack) this.stack = cause.stack;
  }
}

let requestId = '';

function errorPayload(error) {
  if (!(error instanceof Error) && !util.types.isNativeError(error)) {
    const message = typeof error === 'string' ? error : String(error);
    return { errorType: typeof error, errorMessage: message, trace: [] };
  }
  const lines = String(error.stack ?? '').split('\n');
  const trace = lines.filter((line) => !line.includes(import.meta.url));
  return { errorType: error.name, errorMessage: error.message, trace };
}

// Who uses process.stdout makes it non-blocking, so that a full pipe is an error here.
function write(text) {
  let rest = Buffer.from(text);
  while (rest.length) {
    try {
      rest = rest.subarray(fs.writeSync(1, rest));
    } catch (error) {
      if (error.code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}

function log(level, message) {
  const line = [new Date().toISOString(), requestId, level, message].join('\t');
  write(`${line}\n`);
}

function patchConsole() {
  const levels = { log: 'INFO', info: 'INFO', warn: 'WARN', error: 'ERROR', debug: 'DEBUG', trace: 'TRACE' };
  for (const [name, level] of Object.entries(levels)) {
    console[name] = (...given) => log(level, util.format(...given));
  }
}

function become(setup) {
  if (setup.uid) {
    process.setgroups([]);
    process.setgid(setup.uid);
    process.setuid(setup.uid);
  }
}

function fileOf(module) {
  const base = path.resolve(module);
  const found = ['', '.js', '.mjs', '.cjs']
    .map((end) => base + end)
    .find((file) => fs.existsSync(file) && fs.statSync(file).isFile());
  if (!found) throw new Fault('Runtime.ImportModuleError', `Error: Cannot find module '${module}'`);
  return found;
}

async function loaded(file) {
  if (!file.endsWith('.mjs')) {
    try {
      return createRequire(pathToFileURL(file))(file);
    } catch (error) {
      if (!['ERR_REQUIRE_ESM', 'ERR_REQUIRE_ASYNC_MODULE'].includes(error?.code)) {
        const isModuleSyntax = /Cannot use import statement|Unexpected token 'export'/.test(error?.message);
        if (!(error instanceof SyntaxError && isModuleSyntax && isModule(file))) throw error;
      }
    }
  }
  return import(pathToFileURL(file).href);
}

function isModule(file) {
  for (let folder = path.dirname(file); ; folder = path.dirname(folder)) {
    const description = path.join(folder, 'package.json');
    if (fs.existsSync(description)) return JSON.parse(fs.readFileSync(description)).type === 'module';
    if (folder === path.dirname(folder)) return false;
  }
}

function asFault(error) {
  if (error instanceof Fault) return error;
  const text = `${error?.name ?? 'Error'}: ${error?.message ?? error}`;
  if (['MODULE_NOT_FOUND', 'ERR_MODULE_NOT_FOUND'].includes(error?.code)) {
    return new Fault('Runtime.ImportModuleError', text, error);
  }
  if (error instanceof SyntaxError) return new Fault('Runtime.UserCodeSyntaxError', text, error);
  return error;
}

async function load(name, refusesCallbacks) {
  const folder = path.dirname(name);
  const [, stem, fields] = /^([^.]*)\.(.+)$/.exec(path.basename(name)) ?? [];
  if (!stem) throw new Fault('Runtime.MalformedHandlerName', 'Bad handler');
  const module = await loaded(fileOf(path.join(folder, stem)));
  const inside = (start) => fields.split('.').reduce((value, field) => value?.[field], start);
  const handler = inside(module) ?? inside(module?.default);
  if (handler === undefined) {
    throw new Fault('Runtime.HandlerNotFound', `${name} is undefined or not exported`);
  }
  if (typeof handler !== 'function') {
    throw new Fault('Runtime.HandlerNotFound', `${name} is not a function`);
  }
  if (refusesCallbacks && handler.length >= 3) {
    const text = 'AWS Lambda has removed support for callback-based function handlers from Node.js 24.';
    throw new Fault('Runtime.CallbackHandlerDeprecated', text);
  }
  return handler;
}

function contextOf(call, finish) {
  const context = {
    callbackWaitsForEmptyEventLoop: true,
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
    invokedFunctionArn: call.arn,
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    awsRequestId: call.requestId,
    logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
    clientContext: call.clientContext ?? undefined,
    identity: undefined,
    getRemainingTimeInMillis: () => Math.max(0, call.deadlineMs - Date.now()),
  };
  context.done = (error, value) => finish(error, value);
  context.succeed = (value) => finish(null, value);
  context.fail = (error) => finish(error ?? 'handled');
  return context;
}

// Resolves to the handler's value, or rejects with what it threw.
function run(channel, handler, event, call) {
  return new Promise((resolve, reject) => {
    let settle = null;
    const empty = () => {
      channel.socket.ref();
      process.removeListener('beforeExit', empty);
      (settle ?? (() => resolve(null)))();
    };
    const end = (how) => {
      process.removeListener('beforeExit', empty);
      channel.socket.ref();
      how();
    };
    const finish = (error, value) => {
      if (settle) return;
      settle = error ? () => reject(error) : () => resolve(value);
      if (!context.callbackWaitsForEmptyEventLoop) end(settle);
    };
    const context = contextOf(call, finish);
    channel.socket.unref();
    process.on('beforeExit', empty);
    let returned;
    try {
      returned = handler(event, context, (error, value) => finish(error, value));
    } catch (error) {
      end(() => reject(error));
      return;
    }
    if (typeof returned?.then === 'function') {
      returned.then((value) => end(() => resolve(value)), (error) => end(() => reject(error)));
    }
  });
}

function marshalled(value) {
  try {
    return JSON.stringify(value === undefined ? null : value) ?? 'null';
  } catch (error) {
    throw new Fault('Runtime.MarshalError', 'Unable to stringify response body', error);
  }
}

function fail(channel, error, kind = 'error', then = undefined) {
  const payload = errorPayload(error);
  log('ERROR', `Invoke Error \t${JSON.stringify({ ...payload, trace: undefined, stack: payload.trace })}`);
  channel.write(kind, JSON.stringify(payload), payload.errorType, then);
}

function setCallEnvironment(call) {
  for (const [name, value] of Object.entries(call.environment)) {
    if (value) process.env[name] = value;
    else delete process.env[name];
  }
}

async function serve(channel, handler, limitBytes) {
  const [call, body] = await channel.read();
  requestId = call.requestId;
  setCallEnvironment(call);
  try {
    const answer = marshalled(await run(channel, handler, JSON.parse(body), call));
    if (Buffer.byteLength(answer) > limitBytes) {
      const errorMessage = `Response payload size exceeded maximum allowed payload size (${limitBytes} bytes).`;
      const payload = { errorMessage, errorType: 'Function.ResponseSizeTooLarge' };
      channel.write('error', JSON.stringify(payload), payload.errorType);
    } else {
      channel.write('result', answer);
    }
  } catch (error) {
    fail(channel, error);
  }
}

async function main() {
  const channel = new Channel(Number(process.argv.pop()));
  const [setup] = await channel.read();
  become(setup);
  patchConsole();
  const die = (error) => fail(channel, error, 'fatal', () => process.exit(129));
  let handler;
  try {
    handler = await load(setup.handler, setup.refusesCallbacks);
  } catch (error) {
    fail(channel, asFault(error), 'initError', () => process.exit(1));
    return;
  }
  process.on('uncaughtException', die);
  process.on('unhandledRejection', (reason) => {
    const fault = new Fault('Runtime.UnhandledPromiseRejection', String(reason), reason);
    fail(channel, fault, 'fatal', () => process.exit(128));
  });
  channel.write('ready');
  for (;;) await serve(channel, handler, setup.responseLimitBytes);
}

main();
