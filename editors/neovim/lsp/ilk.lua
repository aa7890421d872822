-- The server for Neovim 0.11 and later: vim.lsp.enable("ilk").
local interlock = require("interlock")
return interlock.config({ filetypes = { "ilk" }, root_markers = interlock.root_markers })
