// Turns TypeScript programs into JavaScript for as long as requests arrive on standard input.
//
// A request is a length (4 bytes, little-endian) and the program in UTF-8. The answer is 'A' and
// the program in JavaScript or 'D' and messages; then a length, then the bytes.
//
// Arguments: the module of esbuild, its executable, and, where types are to be checked first, the
// module of the TypeScript compiler. No program is executed here.
'use strict';

const fs = require('fs');
const path = require('path');

const [esbuildModule, esbuildProgram, compilerModule] = process.argv.slice(2);
process.env.ESBUILD_BINARY_PATH = esbuildProgram;
process.env.GOMAXPROCS = '1';
const esbuild = require(esbuildModule);

const NAME = 'main.ts';
const TARGET = 'es2022';
const AWAIT_NEEDS_MODULE = 'Top-level await';

function esbuildOptions(format) {
  return {
    loader: 'ts',
    format,
    target: TARGET,
    platform: 'node',
    sourcefile: NAME,
    logLevel: 'silent',
    // Decorators as TypeScript programs mean them; newer esbuilds ask for it.
    tsconfigRaw: { compilerOptions: { experimentalDecorators: true } },
  };
}

function describe(error) {
  const lines = (error.errors || []).map(({ text, location }) => {
    if (!location) return `${NAME}: error: ${text}`;
    const { line, column, lineText } = location;
    return `${NAME}:${line}:${column + 1}: error: ${text}\n${lineText}\n${' '.repeat(column)}^`;
  });
  return (lines.length ? lines.join('\n') : `${NAME}: error: ${error.message}`) + '\n';
}

async function strip(source) {
  try {
    return (await esbuild.transform(source, esbuildOptions('cjs'))).code;
  } catch (error) {
    // A program that awaits at its top level can only be a module.
    const only = error.errors || [];
    if (!only.length || !only.every(({ text }) => text.startsWith(AWAIT_NEEDS_MODULE))) throw error;
    return (await esbuild.transform(source, esbuildOptions('esm'))).code;
  }
}

// Checks programs one after another; only the parsed libraries are shared between them.
class Checker {
  constructor(module) {
    this.ts = require(module);
    this.libraries = path.dirname(module);
    this.node = path.join(__dirname, 'node.d.ts');
    this.parsed = new Map();
    this.options = {
      target: this.ts.ScriptTarget.ES2022,
      module: this.ts.ModuleKind.CommonJS,
      moduleResolution: this.ts.ModuleResolutionKind.NodeJs,
      lib: ['lib.es2022.d.ts'],
      types: [],
      noEmit: true,
      esModuleInterop: true,
      experimentalDecorators: true,
      emitDecoratorMetadata: true,
      allowUnreachableCode: true,
      allowUnusedLabels: true,
      skipLibCheck: true,
      skipDefaultLibCheck: true,
      noErrorTruncation: false,
    };
  }

  // A library or the typings of node, parsed once; nothing else can be read.
  library(file) {
    const known = file === this.node || path.dirname(file) === this.libraries;
    if (!known || !fs.existsSync(file)) return undefined;
    if (!this.parsed.has(file)) {
      const text = fs.readFileSync(file, 'utf8');
      this.parsed.set(file, this.ts.createSourceFile(file, text, this.options.target, true));
    }
    return this.parsed.get(file);
  }

  host(main) {
    return {
      fileExists: (file) => file === NAME || this.library(file) !== undefined,
      readFile: () => undefined,
      directoryExists: () => false,
      getDirectories: () => [],
      getSourceFile: (file) => (file === NAME ? main : this.library(file)),
      getDefaultLibFileName: () => path.join(this.libraries, 'lib.es2022.d.ts'),
      getDefaultLibLocation: () => this.libraries,
      getCurrentDirectory: () => '',
      getCanonicalFileName: (file) => file,
      useCaseSensitiveFileNames: () => true,
      getNewLine: () => '\n',
      writeFile: () => {},
    };
  }

  // The errors of a program, empty if there are none.
  errors(source) {
    // A program that await makes a module is checked as one.
    const { ts } = this;
    const main = ts.createSourceFile(NAME, source, this.options.target, true);
    const module = awaitsAtTop(ts, main) ? ts.ModuleKind.ES2022 : ts.ModuleKind.CommonJS;
    const options = { ...this.options, module };
    const program = ts.createProgram([NAME, this.node], options, this.host(main));
    return [...program.getSyntacticDiagnostics(main), ...program.getSemanticDiagnostics(main)]
      .filter(({ category }) => category === ts.DiagnosticCategory.Error)
      .map((error) => this.text(main, error))
      .join('');
  }

  text(main, error) {
    const message = this.ts.flattenDiagnosticMessageText(error.messageText, '\n');
    const { line, character } = main.getLineAndCharacterOfPosition(error.start || 0);
    return `${NAME}:${line + 1}:${character + 1}: error: TS${error.code}: ${message}\n`;
  }
}

function awaitsAtTop(ts, node) {
  if (ts.isAwaitExpression(node) || (ts.isForOfStatement(node) && node.awaitModifier)) return true;
  if (ts.isFunctionLike(node) || ts.isClassLike(node)) return false;
  return ts.forEachChild(node, (child) => awaitsAtTop(ts, child)) || false;
}

async function answer(source, checker) {
  try {
    const errors = checker ? checker.errors(source) : '';
    return errors ? ['D', errors] : ['A', await strip(source)];
  } catch (error) {
    if (error instanceof RangeError) return ['D', `${NAME}: error: nested too deeply\n`];
    return ['D', describe(error)];
  }
}

function write(kind, text) {
  const body = Buffer.from(text);
  const head = Buffer.alloc(5);
  head.write(kind, 0, 'latin1');
  head.writeUInt32LE(body.length, 1);
  const whole = Buffer.concat([head, body]);
  for (let done = 0; done < whole.length; ) done += fs.writeSync(1, whole, done);
}

// Requests come one by one, each after the answer to the one before.
async function serve(checker) {
  let held = Buffer.alloc(0);
  for await (const chunk of process.stdin) {
    held = Buffer.concat([held, chunk]);
    while (held.length >= 4 && held.length >= 4 + held.readUInt32LE(0)) {
      const end = 4 + held.readUInt32LE(0);
      const source = held.toString('utf8', 4, end);
      held = held.subarray(end);
      write(...(await answer(source, checker)));
    }
  }
}

const checker = compilerModule ? new Checker(compilerModule) : undefined;
serve(checker).then(
  () => process.exit(0),
  () => process.exit(1),
);
