// An editor in a page, connected to the language server; the test drives it from outside.
import { LSPClient, languageServerExtensions } from "@codemirror/lsp-client";
import { EditorView } from "@codemirror/view";
import { basicSetup } from "codemirror";

const given = new URLSearchParams(location.hash.slice(1));

function connect(address) {
  const socket = new WebSocket(address);
  let handlers = [];
  socket.onmessage = (event) => handlers.forEach((handle) => handle(event.data));
  return new Promise((done, failed) => {
    socket.onerror = failed;
    socket.onopen = () =>
      done({
        send: (message) => socket.send(message),
        subscribe: (handler) => handlers.push(handler),
        unsubscribe: (handler) => (handlers = handlers.filter((one) => one !== handler)),
      });
  });
}

const transport = await connect(`ws://127.0.0.1:${given.get("port")}`);
const client = new LSPClient({
  rootUri: given.get("root"),
  extensions: languageServerExtensions(),
  timeout: 120000,
}).connect(transport);
await client.initializing;
const uri = `${given.get("root")}/rules.ilk`;
window.view = new EditorView({
  doc: await (await fetch("/rules.ilk")).text(),
  extensions: [basicSetup, client.plugin(uri, "interlock")],
  parent: document.body,
});
const place = (offset) => {
  const line = window.view.state.doc.lineAt(offset);
  return { line: line.number - 1, character: offset - line.from };
};
const offset = ({ line, character }) => window.view.state.doc.line(line + 1).from + character;

// What this client has no command for, as a page that wants quick fixes would do it.
window.applyFirstFix = async (from, to) => {
  client.sync();
  const range = { start: place(from), end: place(to) };
  const actions = await client.request("textDocument/codeAction", {
    textDocument: { uri },
    range,
    context: { diagnostics: [] },
  });
  const changes = actions[0].edit.changes[uri].map((edit) => ({
    from: offset(edit.range.start),
    to: offset(edit.range.end),
    insert: edit.newText,
  }));
  window.view.dispatch({ changes });
};
document.title = "ready";
