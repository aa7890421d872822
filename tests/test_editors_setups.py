"""What `editors/` has for Neovim and Emacs, loaded by the real programs, and for Helix."""

import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from editor_tools import EDITORS, ROOT, VSCODE, keywords, need, newer_editors

POLICY = """\
// 𝄞
module doors
entity User { age: Int }
entity Door
action enter { principal User resource Door }
permit grown {
  action enter
  when principal.aeg >= 18
}
"""

NEOVIM = """
local words = vim.fn.json_decode(vim.env.WORDS)
local answer = { filetype = vim.bo.filetype, comment = vim.bo.commentstring, width = vim.bo.shiftwidth }
answer.version = vim.version().minor
vim.wait(20000, function() return #vim.diagnostic.get(0) > 0 end, 50)
answer.diagnostics = vim.tbl_map(function(one) return { one.lnum, one.message } end, vim.diagnostic.get(0))
local clients = (vim.lsp.get_clients or vim.lsp.get_active_clients)()
answer.clients = vim.tbl_map(function(one) return { one.name, one.config.root_dir } end, clients)
vim.cmd("new")
vim.bo.filetype = "ilk"
local function groups(prefix, suffix)
  local found = {}
  for _, word in ipairs(words) do
    vim.api.nvim_buf_set_lines(0, 0, -1, false, { prefix .. word .. suffix })
    vim.cmd("syntax sync fromstart")
    found[word] = vim.fn.synIDattr(vim.fn.synID(1, #prefix + 1, 1), "name")
  end
  return found
end
answer.words = groups("  ", " x")
answer.dotted = groups("x.", " == 1")
answer.fields = groups("{ ", ": 1 }")
vim.api.nvim_buf_set_lines(0, 0, -1, false, { "/// 𝄞" })
vim.api.nvim_win_set_cursor(0, { 1, 0 })
vim.api.nvim_feedkeys(vim.api.nvim_replace_termcodes("A<CR>more<Esc>", true, false, true), "x", false)
answer.continued = vim.api.nvim_buf_get_lines(0, 0, -1, false)
local file = io.open(vim.env.OUT, "w")
file:write(vim.fn.json_encode(answer))
file:close()
vim.cmd("qall!")
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / ".interlock").mkdir()
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "doors.ilk").write_text(POLICY, encoding="utf-8")
    return tmp_path


@pytest.fixture(params=["installed", "newer"])
def program(request: pytest.FixtureRequest) -> Callable[[str], str]:
    """Where an editor is: the one of this machine, or the one that `make editors` puts beside it."""
    if request.param == "installed":
        return need
    if not os.environ.get("INTERLOCK_EDITORS"):
        pytest.skip("newer editors are downloaded: make editors")
    return lambda name: str(newer_editors() / name)


def test_neovim_knows_policies_and_starts_the_server(
    project: Path, program: Callable[[str], str]
) -> None:
    nvim = program("nvim")
    script, out = project / "script.lua", project / "out.json"
    script.write_text(NEOVIM, encoding="utf-8")
    server = json.dumps([sys.executable, "-m", "interlock", "lsp"])[1:-1]
    result = subprocess.run(
        [nvim, "--headless", "-u", "NONE", "-i", "NONE", "-n",
         "--cmd", f"set runtimepath^={EDITORS / 'neovim'}",
         "--cmd", "filetype plugin on", "--cmd", "syntax on",
         "--cmd", f'lua require("interlock").setup({{ cmd = {{ {server} }} }})',
         str(project / "policies" / "doors.ilk"), "-c", f"luafile {script}"],
        env={**os.environ, "WORDS": json.dumps(sorted(keywords())), "OUT": str(out), "HOME": str(project)},
        cwd=project, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert out.exists(), result.stdout + result.stderr
    seen = json.loads(out.read_text(encoding="utf-8"))
    assert (seen["filetype"], seen["comment"], seen["width"]) == ("ilk", "// %s", 2)
    assert seen["clients"] == [["interlock", str(project)]]
    assert any(line == 7 and "`aeg`" in message for line, message in seen["diagnostics"])
    assert all(re.match("ilk(?!Field|Call|Type)", group) for group in seen["words"].values()), seen
    assert set(seen["dotted"].values()) == {"ilkField"}
    assert set(seen["fields"].values()) == {"ilkField"}
    assert seen["continued"] == ["/// 𝄞", "/// more"]
    assert not result.stderr.strip(), result.stderr


def test_the_newer_way_of_neovim_starts_the_same_server(
    tmp_path: Path, program: Callable[[str], str]
) -> None:
    out = tmp_path / "out.json"
    plugin = EDITORS / "neovim"
    script = f"local it = dofile('{plugin / 'lsp' / 'ilk.lua'}')"
    script += " it.handlers, it.capabilities = nil, nil"
    script += f" vim.fn.writefile({{ vim.fn.json_encode(it) }}, '{out}')"
    subprocess.run(
        [program("nvim"), "--headless", "-u", "NONE", "-i", "NONE", "-n",
         "--cmd", f"set runtimepath^={plugin}", "-c", f"lua {script}", "-c", "qall!"],
        check=True, timeout=60,
    )  # fmt: skip
    assert json.loads(out.read_text(encoding="utf-8")) == {
        "name": "interlock",
        "cmd": ["interlock", "lsp"],
        "filetypes": ["ilk"],
        "root_markers": [".interlock", "pyproject.toml", ".git"],
    }


def test_the_words_of_emacs_are_those_of_the_language() -> None:
    mode = (EDITORS / "emacs" / "interlock-mode.el").read_text(encoding="utf-8")
    lists = re.findall(r"defconst interlock-(?:keywords|constants)\s+'\(([^)]*)\)", mode)
    assert set(re.findall(r'"([a-z_]+)"', " ".join(lists))) == keywords()


EMACS = """
(let (answer)
  (dolist (folder (file-expand-wildcards "/usr/share/emacs/site-lisp/elpa/*"))
    (add-to-list 'load-path folder))
  (setq byte-compile-error-on-warn t)
  (unless (byte-compile-file (getenv "MODE")) (kill-emacs 2))
  (load (concat (getenv "MODE") "c") nil t)
  (setq interlock-command (split-string (getenv "SERVER")))
  (find-file (getenv "FILE"))
  (push (cons 'mode (symbol-name major-mode)) answer)
  (font-lock-ensure)
  (dolist (place '(("permit" . "permit grown") ("grown" . "grown") ("age" . "age:") ("aeg" . "aeg")
                   ("Int" . "Int") ("comment" . "𝄞")))
    (goto-char (point-min))
    (search-forward (cdr place))
    (push (cons (car place) (format "%s" (get-text-property (match-beginning 0) 'face))) answer))
  (let ((before (buffer-string)))
    (indent-region (point-min) (point-max))
    (push (cons 'same (if (equal before (buffer-string)) "yes" (buffer-string))) answer))
  (require 'imenu)
  (push (cons 'imenu (format "%s" (mapcar #'car (funcall imenu-create-index-function)))) answer)
  (when (require 'eglot nil t)
    (push (cons 'contact (format "%s" (nth 3 (eglot--guess-contact)))) answer))
  (with-temp-file (getenv "OUT")
    (require 'json)
    (insert (json-encode answer)))
  (set-buffer-modified-p nil))
"""


def test_emacs_knows_policies(project: Path, program: Callable[[str], str]) -> None:
    emacs = program("emacs")
    mode = project / "interlock-mode.el"
    mode.write_bytes((EDITORS / "emacs" / "interlock-mode.el").read_bytes())
    script, out = project / "script.el", project / "out.json"
    script.write_text(EMACS, encoding="utf-8")
    result = subprocess.run(
        [emacs, "-Q", "--batch", "-l", str(script)],
        env={**os.environ, "MODE": str(mode), "FILE": str(project / "policies" / "doors.ilk"),
             "OUT": str(out), "SERVER": "some-python -m interlock", "LC_ALL": "C.UTF-8"},
        cwd=project, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert out.exists(), result.stdout + result.stderr
    seen = json.loads(out.read_text(encoding="utf-8"))
    assert seen["mode"] == "interlock-mode"
    assert seen["permit"] == "font-lock-keyword-face"
    assert seen["grown"] == "font-lock-function-name-face"
    assert seen["age"] == seen["aeg"] == "font-lock-variable-name-face"
    assert seen["Int"] == "font-lock-type-face"
    assert seen["comment"] == "font-lock-comment-face"
    assert seen["same"] == "yes"
    assert seen["imenu"] == "(grown)"
    assert seen.get("contact", "(some-python -m interlock lsp)") == "(some-python -m interlock lsp)"


def test_helix_starts_the_server_for_policies() -> None:
    found = tomllib.loads((EDITORS / "helix" / "languages.toml").read_text(encoding="utf-8"))
    [language] = found["language"]
    [name] = language["language-servers"]
    server = found["language-server"][name]
    assert [server["command"], *server["args"]] == ["interlock", "lsp"]
    assert language["file-types"] == ["ilk"]


def test_every_picture_of_the_documentation_is_made_by_a_test() -> None:
    """`make editors` puts them into the documentation again."""
    document = (ROOT / "docs" / "editors.md").read_text(encoding="utf-8")
    shown = set(re.findall(r"\]\(images/([\w-]+)\.png\)", document))
    driver = (VSCODE / "e2e" / "drive.mjs").read_text(encoding="utf-8")
    newer = (ROOT / "tests" / "test_editors_newer.py").read_text(encoding="utf-8")
    made = {f"vscode-{name}" for name in re.findall(r'picture\("([\w-]+)"\)', driver)}
    made |= set(re.findall(r'PICTURES / "([\w-]+)\.png"', newer))
    assert len(shown) > 5
    assert shown <= made
    assert shown == {file.stem for file in (ROOT / "docs" / "images").glob("*.png")}
