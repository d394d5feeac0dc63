// SPDX-License-Identifier: Apache-2.0
// Coverage without a native part: every module that is loaded after installInstrumentation() gets a
// counter in each of its blocks. (V8 has such counters too, but to read them takes milliseconds.)
import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

/** What the code under test tells the fuzzer. */
export interface Instrumentation {
  /** How often each block ran since the caller last cleared it; the first `blockCount()` are in use. */
  readonly hits: Uint32Array;
  readonly blockCount: () => number;
  /** Texts and numbers that stand in the code: what a parser compares with. */
  readonly literals: ReadonlySet<string>;
  /** Pairs of texts that were compared and differ, newest last; the caller empties it. */
  readonly comparisons: (readonly [seen: string, wanted: string])[];
}

const MAX_BLOCKS = 1 << 17;
const MAX_LITERAL = 64;
const MAX_COMPARISONS = 64;

/** The names of both in the code under test. */
const HITS = '__fuzzHits';
const EQUALS = '__fuzzEquals';

const SOURCES = new URL('../../src', import.meta.url).href;

/** Packages that parse what strangers write. */
const PACKAGES = /\/node_modules\/(?:jsonc-parser|openpgp|smol-toml|yaml)\//;

/** Must come before the first import of what is to be fuzzed. */
export function installInstrumentation(): Instrumentation {
  const hits = new Uint32Array(MAX_BLOCKS);
  const literals = new Set<string>();
  const comparisons: (readonly [string, string])[] = [];
  let blocks = 0;
  Object.assign(globalThis, {
    [HITS]: hits,
    [EQUALS]: (a: unknown, b: unknown): boolean => {
      if (typeof a === 'string' && typeof b === 'string' && a !== b) note(a, b);
      return a === b;
    },
  });
  const note = (a: string, b: string): void => {
    if (comparisons.length >= MAX_COMPARISONS || a.length > MAX_LITERAL || b.length > MAX_LITERAL)
      return;
    comparisons.push([a, b]);
  };
  const nextBlock = (): number => {
    blocks += 1;
    if (blocks > MAX_BLOCKS) throw new Error('more blocks than there are counters');
    return blocks - 1;
  };
  registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context);
      const isOurs = url.startsWith(SOURCES);
      if (!isOurs && !PACKAGES.test(url)) return loaded;
      const source = loaded.source ?? readFileSync(fileURLToPath(url));
      const text = typeof source === 'string' ? source : Buffer.from(source as Buffer).toString();
      return {
        format: isOurs ? 'module' : loaded.format,
        source: instrument(text, url, nextBlock, isOurs ? literals : undefined),
        shortCircuit: true,
      };
    },
  });
  return { hits, blockCount: () => blocks, literals, comparisons };
}

function instrument(
  text: string,
  url: string,
  nextBlock: () => number,
  literals: Set<string> | undefined,
): string {
  const { outputText } = ts.transpileModule(text, {
    fileName: fileURLToPath(url),
    compilerOptions: {
      target: ts.ScriptTarget.ESNext,
      module: ts.ModuleKind.Preserve,
      verbatimModuleSyntax: true,
      allowJs: true,
    },
    transformers: { before: [(context) => (file) => instrumentFile(file, context)] },
  });
  return outputText;

  function instrumentFile(file: ts.SourceFile, context: ts.TransformationContext): ts.SourceFile {
    const visit = (node: ts.Node): ts.Node => {
      if (literals !== undefined) collectLiteral(node, literals);
      // Types are gone at run time, and names of modules are no expressions.
      if (ts.isTypeNode(node) || ts.isImportDeclaration(node) || ts.isExportDeclaration(node))
        return node;
      return counted(ts.visitEachChild(node, visit, context), context.factory, nextBlock);
    };
    return ts.visitEachChild(file, visit, context);
  }
}

/** The node with a counter wherever a choice leads. */
function counted(node: ts.Node, make: ts.NodeFactory, nextBlock: () => number): ts.Node {
  const count = (): ts.Expression =>
    make.createPostfixIncrement(
      make.createElementAccessExpression(make.createIdentifier(HITS), nextBlock()),
    );
  const statement = (): ts.Statement => make.createExpressionStatement(count());
  const expression = (inner: ts.Expression): ts.Expression =>
    make.createParenthesizedExpression(make.createComma(count(), inner));
  const block = (inner: ts.Statement): ts.Statement =>
    ts.isBlock(inner) ? inner : make.createBlock([statement(), inner]);

  if (ts.isBlock(node)) return make.updateBlock(node, [statement(), ...node.statements]);
  if (ts.isIfStatement(node)) {
    const otherwise = node.elseStatement && block(node.elseStatement);
    return make.updateIfStatement(node, node.expression, block(node.thenStatement), otherwise);
  }
  if (ts.isForStatement(node)) {
    const { initializer, condition, incrementor } = node;
    return make.updateForStatement(
      node,
      initializer,
      condition,
      incrementor,
      block(node.statement),
    );
  }
  if (ts.isWhileStatement(node))
    return make.updateWhileStatement(node, node.expression, block(node.statement));
  if (ts.isDoStatement(node))
    return make.updateDoStatement(node, block(node.statement), node.expression);
  if (ts.isCaseClause(node))
    return make.updateCaseClause(node, node.expression, [statement(), ...node.statements]);
  if (ts.isDefaultClause(node))
    return make.updateDefaultClause(node, [statement(), ...node.statements]);
  if (ts.isConditionalExpression(node)) {
    const { condition, questionToken, whenTrue, colonToken, whenFalse } = node;
    return make.updateConditionalExpression(
      ...([node, condition, questionToken, expression(whenTrue)] as const),
      ...([colonToken, expression(whenFalse)] as const),
    );
  }
  if (ts.isArrowFunction(node) && !ts.isBlock(node.body)) {
    return make.updateArrowFunction(
      ...([node, node.modifiers, node.typeParameters, node.parameters, node.type] as const),
      ...([node.equalsGreaterThanToken, expression(node.body)] as const),
    );
  }
  if (!ts.isBinaryExpression(node)) return node;
  switch (node.operatorToken.kind) {
    case ts.SyntaxKind.AmpersandAmpersandToken:
    case ts.SyntaxKind.BarBarToken:
    case ts.SyntaxKind.QuestionQuestionToken:
      return make.updateBinaryExpression(
        node,
        node.left,
        node.operatorToken,
        expression(node.right),
      );
    case ts.SyntaxKind.EqualsEqualsEqualsToken:
      return mayBeText(node) ? equals(node, make) : node;
    case ts.SyntaxKind.ExclamationEqualsEqualsToken:
      return mayBeText(node) ? make.createLogicalNot(equals(node, make)) : node;
    default:
      return node;
  }
}

function equals({ left, right }: ts.BinaryExpression, make: ts.NodeFactory): ts.Expression {
  return make.createCallExpression(make.createIdentifier(EQUALS), undefined, [left, right]);
}

function mayBeText({ left, right }: ts.BinaryExpression): boolean {
  return [left, right].every(
    (side) =>
      !ts.isNumericLiteral(side) &&
      !ts.isPrefixUnaryExpression(side) &&
      !ts.isTypeOfExpression(side) &&
      side.kind !== ts.SyntaxKind.NullKeyword &&
      side.kind !== ts.SyntaxKind.TrueKeyword &&
      side.kind !== ts.SyntaxKind.FalseKeyword &&
      !(ts.isIdentifier(side) && side.text === 'undefined'),
  );
}

function collectLiteral(node: ts.Node, literals: Set<string>): void {
  if (!ts.isStringLiteral(node) && !ts.isNumericLiteral(node)) return;
  if (node.text.length > 0 && node.text.length <= MAX_LITERAL) literals.add(node.text);
}
