-- The server for Neovim 0.11 and later: vim.lsp.enable("ilk").
return {
  cmd = { "interlock", "lsp" },
  filetypes = { "ilk" },
  root_markers = { ".interlock", "pyproject.toml", ".git" },
}
