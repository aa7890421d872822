-- Starts the language server for policies: require("interlock").setup(). Works from Neovim 0.7 on.
local M = {
  cmd = { "interlock", "lsp" },
  --- What the folder of a project has.
  root_markers = { ".interlock", "pyproject.toml", ".git" },
}

--- Starts the server for every policy that is opened. The options are cmd, root_markers, settings and on_attach.
function M.setup(options)
  options = vim.tbl_extend("force", { cmd = M.cmd, root_markers = M.root_markers, settings = {} }, options or {})
  local group = vim.api.nvim_create_augroup("interlock", { clear = true })
  vim.api.nvim_create_autocmd("FileType", {
    pattern = "ilk",
    group = group,
    callback = function(event)
      M.start(event.buf, options)
    end,
  })
end

function M.start(buffer, options)
  if vim.api.nvim_buf_get_name(buffer) == "" then
    return
  end
  local config = M.config({
    cmd = options.cmd,
    root_dir = M.root(vim.api.nvim_buf_get_name(buffer), options.root_markers),
    settings = { interlock = options.settings },
    init_options = options.settings,
    on_attach = options.on_attach,
  })
  if vim.lsp.start then
    vim.lsp.start(config, { bufnr = buffer })
    return
  end
  -- Neovim 0.7 has no vim.lsp.start, so one client for each root is kept here.
  M.clients = M.clients or {}
  local id = M.clients[config.root_dir]
  if not id or not vim.lsp.get_client_by_id(id) then
    id = vim.lsp.start_client(config)
    M.clients[config.root_dir] = id
  end
  if id then
    vim.lsp.buf_attach_client(buffer, id)
  end
end

--- What every way of starting the server needs, around what is particular to one.
function M.config(particular)
  local config = vim.tbl_extend("force", { name = "interlock", cmd = M.cmd }, particular)
  if not vim.lsp.diagnostic.on_diagnostic then
    return config
  end
  -- A proof ends after the diagnostics were asked for. Neovim 0.10 and 0.11 cannot be told to ask again, and 0.12
  -- asks only for those of files that are not open; here the open ones follow.
  local again = "workspace/diagnostic/refresh"
  local known = vim.lsp.handlers[again]
  config.capabilities = vim.lsp.protocol.make_client_capabilities()
  config.capabilities.workspace.diagnostics = { refreshSupport = true }
  config.handlers = {
    [again] = function(problem, result, context)
      if known then
        known(problem, result, context)
      end
      local client = vim.lsp.get_client_by_id(context.client_id)
      for buffer in pairs(client and client.attached_buffers or {}) do
        local document = vim.lsp.util.make_text_document_params(buffer)
        vim.lsp.buf_request(buffer, "textDocument/diagnostic", { textDocument = document })
      end
      return vim.NIL
    end,
  }
  return config
end

--- The nearest folder above a file that has one of the markers, or else the folder of the file.
function M.root(file, markers)
  local folder = vim.fn.fnamemodify(file, ":p:h")
  local place = folder
  while true do
    for _, marker in ipairs(markers) do
      if vim.loop.fs_stat(place .. "/" .. marker) then
        return place
      end
    end
    local above = vim.fn.fnamemodify(place, ":h")
    if above == place then
      return folder
    end
    place = above
  end
end

return M
