"""Variables by which a line says more than its words: which programs the names mean, and what they act on."""

import re

from ..words import words


def misleading(name: str, value: str) -> str | None:
    """Why programs after this assignment may be others than their names say."""
    is_pager = name.endswith("PAGER")
    if name not in _MEANING and not name.startswith(_MEANING_PREFIXES) and not is_pager:
        return None
    match name:
        case _ if is_pager and value in ("cat", "less", ""):
            return None
        case "PYTHONPATH" if _INNER_PATHS.fullmatch(value):
            return None
        case "PATH" if _SYSTEM_PATHS.fullmatch(value):
            return None
        case _:
            return f"`{name}` changes what the programs after it are"


def repointing(name: str, value: str) -> str | None:
    """Why the project's own commands may reach something else once a variable has this value."""
    if name in _HARMLESS or value.lower() in _HARMLESS_VALUES or not _REPOINTING.search(name):
        return None
    if name.endswith("_DIR") and _OWN_FOLDERS.match(value):
        return None
    return f"`{name}` may say what the project's commands act on"


_MEANING_PREFIXES = ("LD_", "DYLD_", "BASH_FUNC_", "TF_CLI_ARGS")
_SYSTEM_PATH = (
    r"(/usr(/local)?)?/s?bin|/opt/homebrew/s?bin|\$PATH|\$\{PATH\}|(\./)?node_modules/\.bin|~/go/bin"
    r"|~/\.(local|cargo|bun|deno|volta|npm-global)/bin|~/\.(pyenv|rbenv|asdf)/(bin|shims)"
)
_SYSTEM_PATHS = re.compile(rf"(PATH=)?[\"']?({_SYSTEM_PATH})(:({_SYSTEM_PATH}))*[\"']?")
_INNER_PATH = r"(\.|\$PWD|\$\{PWD\}|\$\(pwd\)|[\w-]+)(/[\w-]+)*"
_INNER_PATHS = re.compile(rf"({_INNER_PATH})?(:({_INNER_PATH})?)*")
_MEANING = words(
    "PATH LD_PRELOAD LD_LIBRARY_PATH LD_AUDIT DYLD_INSERT_LIBRARIES BASH_ENV ENV PROMPT_COMMAND "
    "SHELLOPTS BASHOPTS GIT_SSH_COMMAND GIT_SSH GIT_EXTERNAL_DIFF GIT_PAGER PAGER EDITOR VISUAL "
    "LESSOPEN PERL5OPT PERL5LIB RUBYOPT PYTHONSTARTUP PYTHONPATH NODE_OPTIONS JAVA_TOOL_OPTIONS "
    "MANPAGER BROWSER PS4 GIT_CONFIG_COUNT GIT_CONFIG GIT_CONFIG_GLOBAL GIT_CONFIG_SYSTEM GIT_DIR GIT_WORK_TREE "
    "GIT_EXEC_PATH GIT_PROXY_COMMAND GIT_ASKPASS SSH_ASKPASS GIT_EDITOR GIT_SEQUENCE_EDITOR GIT_TEMPLATE_DIR "
    "GIT_CONFIG_PARAMETERS KUBE_EDITOR PSQLRC PGOPTIONS PGSERVICEFILE PSQL_PAGER PSQL_EDITOR MYSQL_HOME RSYNC_RSH "
    "CVS_RSH SVN_SSH AWS_CONFIG_FILE LESSCLOSE TAR_OPTIONS GREP_OPTIONS FZF_DEFAULT_COMMAND NPM_CONFIG_SCRIPT_SHELL "
    "npm_config_script_shell TF_CLI_CONFIG_FILE KUBECTL_EXTERNAL_DIFF HELM_PLUGINS HELM_DATA_HOME HELM_BIN "
    "SYSTEMD_EDITOR SUDO_EDITOR SUDO_ASKPASS GH_EDITOR GH_BROWSER CURL_HOME WGETRC RIPGREP_CONFIG_PATH "
    "PGSYSCONFDIR ZDOTDIR RUBYLIB KUBECTL_PLUGINS_PATH APT_CONFIG INPUTRC LESSKEY LESSKEYIN LESSKEYIN_SYSTEM "
    "FLYWAY_CLEAN_ON_VALIDATION_ERROR FLYWAY_INIT_SQL"
)
# `PYTHONPATH` is judged by its value, as what changes what programs are.
_HARMLESS = words("PYTHONPATH CI NODE_ENV PORT TOKENIZERS_PARALLELISM GIT_PAGER PAGER")
_HARMLESS_VALUES = words(
    "-mod=mod -mod=vendor -mod=readonly test testing true false 0 1 yes no ci local localhost 127.0.0.1"
)
_OWN_FOLDERS = re.compile(r"/tmp/\w|\w(?!.*\.\./)")  # noqa: S108
_REPOINTING = re.compile(
    r"^[A-Z0-9_]*(URL|URI|DSN|HOST|DATABASE|DB|PG|MYSQL|REDIS|MONGO|AWS|GOOGLE|AZURE|KUBE|ENV|PROFILE|SECRET|TOKEN|KEY"
    r"|PASSWORD|OPTS|OPTIONS|FLAGS|PATH|CONFIG|CONTEXT|SETTINGS|SHELL|REGISTRY|INDEX|PROXY|STAGE|TARGET_DIR|BUILD_DIR|BASETEMP|WRAPPER|COMPILER"
    r"|LINKER|RUNNER|PLUGIN|MAKEFILES|COMMAND|CMD|EXEC)[A-Z0-9_]*$|^(CC|CXX|LD|AR|AS|CPP)$"
)
