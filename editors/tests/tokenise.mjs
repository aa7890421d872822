// Tokenises texts with the TextMate grammars, as VS Code does. Standard input is {grammars, texts: [{scope, text}]};
// standard output is, for each text, its tokens as [offset, text, scopes]. PACKAGES is a folder with the npm packages.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const require = createRequire(join(process.env.PACKAGES, "package.json"));
const oniguruma = require("vscode-oniguruma");
const textmate = require("vscode-textmate");

await oniguruma.loadWASM(readFileSync(require.resolve("vscode-oniguruma/release/onig.wasm")).buffer);
const { grammars, injections, texts } = JSON.parse(readFileSync(0, "utf8"));
const registry = new textmate.Registry({
  onigLib: Promise.resolve({
    createOnigScanner: (patterns) => new oniguruma.OnigScanner(patterns),
    createOnigString: (text) => new oniguruma.OnigString(text),
  }),
  loadGrammar: async (scope) =>
    grammars[scope] ? textmate.parseRawGrammar(readFileSync(grammars[scope], "utf8"), `${scope}.json`) : null,
  getInjections: (scope) => injections[scope],
});

const answers = [];
for (const { scope, text } of texts) {
  const grammar = await registry.loadGrammar(scope);
  let stack = textmate.INITIAL;
  const tokens = [];
  let offset = 0;
  for (const line of text.split("\n")) {
    const found = grammar.tokenizeLine(line, stack);
    stack = found.ruleStack;
    for (const { startIndex, endIndex, scopes } of found.tokens) {
      // Code points, as Python counts.
      tokens.push([offset + [...line.slice(0, startIndex)].length, line.slice(startIndex, endIndex), scopes]);
    }
    offset += [...line].length + 1;
  }
  answers.push(tokens);
}
process.stdout.write(JSON.stringify(answers));
