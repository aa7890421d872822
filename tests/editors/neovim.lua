-- Drives Neovim as a person does, against the real server; writes one line for each thing that was seen.
local out = assert(io.open(vim.env.OUT, "w"))
local function say(name, text) out:write(name .. "\t" .. tostring(text):gsub("\n", "\\n") .. "\n"); out:flush() end
local function stop(why) say("FAILED", why); out:close(); vim.cmd("cquit 1") end
local function await(what, seconds, ready)
  if not vim.wait(seconds * 1000, ready, 20) then stop("waited for " .. what) end
end

vim.opt.runtimepath:prepend(vim.env.EDITORS .. "/neovim")
vim.cmd("filetype plugin on | syntax on")
require("interlock").setup({ cmd = vim.split(vim.env.SERVER, " ") })
vim.cmd("edit " .. vim.env.FILE)
local buffer = vim.api.nvim_get_current_buf()
local client
await("the server", 30, function()
  client = (vim.lsp.get_clients or vim.lsp.get_active_clients)()[1]
  return client and client.initialized
end)
local id = client.id

local function request(method, params)
  local result, problem = vim.lsp.buf_request_sync(buffer, method, params, 15000)
  if not result then stop(method .. ": " .. tostring(problem)) end
  local answer = result[id] or result[1] or {}
  if answer.err or answer.error then stop(method .. ": " .. vim.inspect(answer)) end
  return answer.result
end
-- Puts the cursor right after the first occurrence of a text; columns are bytes here.
local function go(text, plus)
  for number, line in ipairs(vim.api.nvim_buf_get_lines(buffer, 0, -1, false)) do
    local at = line:find(text, 1, true)
    if at then vim.api.nvim_win_set_cursor(0, { number, at - 1 + (plus or 0) }); return number - 1, at - 1 end
  end
  stop("there is no " .. text)
end
local function line_with(text) local row = go(text); return vim.api.nvim_buf_get_lines(buffer, row, row + 1, false)[1] end

await("a diagnostic", 30, function() return #vim.diagnostic.get(buffer) > 0 end)
local found = vim.diagnostic.get(buffer)[1]
local row, column = go("aeg")
say("diagnostic", found.message)
say("diagnostic_place", tostring(found.lnum == row and found.col == column and found.end_col == column + 3))

go("grown(", 1)
say("hover", request("textDocument/hover", vim.lsp.util.make_position_params()).contents.value)

go("aeg")
vim.lsp.omnifunc(1, "")
local items = request("textDocument/completion", vim.lsp.util.make_position_params()).items
say("completion", table.concat(vim.tbl_map(function(item) return item.label end, items), " "))

vim.ui.select = function(choices, _, choose) choose(choices[1], 1) end
go("aeg")
vim.lsp.buf.code_action()
await("the quick fix", 15, function()
  for _, item in ipairs(vim.diagnostic.get(buffer)) do if item.message:find("aeg") then return false end end
  return true
end)
say("fixed", line_with("principal.age"))

go("grown(", 1)
vim.lsp.buf.rename("is_adult")
await("the rename", 15, function()
  return vim.fn.search("is_adult", "nw") > 0
end)
say("renamed", line_with("is_adult"))

if vim.env.PROVES == "yes" then
  local function refuted()
    for _, item in ipairs(vim.diagnostic.get(buffer)) do
      if item.message:find("is refuted") then return item.message end
    end
  end
  await("a counterexample", 60, refuted)
  say("counterexample", refuted())
end
-- What Neovim 0.7 does not have.
if vim.lsp.inlay_hint then
  local function of_namespace(is_pull)
    return #vim.diagnostic.get(buffer, { namespace = vim.lsp.diagnostic.get_namespace(id, is_pull) })
  end
  say("pulled", of_namespace(true) .. " pulled " .. of_namespace(false) .. " pushed")

  vim.lsp.inlay_hint.enable(true, { bufnr = buffer })
  local function hints()
    return vim.tbl_map(function(one)
      local label = one.inlay_hint.label
      return type(label) == "string" and label or label[1].value
    end, vim.lsp.inlay_hint.get({ bufnr = buffer }))
  end
  await("an inlay hint", 15, function() return table.concat(hints(), " "):find("refuted") or vim.env.PROVES ~= "yes" and #hints() > 0 end)
  say("hints", table.concat(hints(), " "))

  local token_row, token_column = go("principal.age > 60", 10)
  local function tokens() return vim.lsp.semantic_tokens.get_at_pos(buffer, token_row, token_column + 10) or {} end
  await("a semantic token", 15, function() return #tokens() > 0 end)
  say("coloured_as", tokens()[1].type)

  go("is_adult", 1)
  vim.lsp.buf.hover()
  local floating
  await("a hover window", 15, function()
    for _, window in ipairs(vim.api.nvim_list_wins()) do
      if vim.api.nvim_win_get_config(window).relative ~= "" then
        floating = vim.api.nvim_buf_get_lines(vim.api.nvim_win_get_buf(window), 0, -1, false)
        return true
      end
    end
  end)
  say("floating", table.concat(floating, "\n"))

  vim.lsp.codelens.refresh({ bufnr = buffer })
  await("a lens", 15, function() return #vim.lsp.codelens.get(buffer) > 0 end)
  say("lenses", table.concat(vim.tbl_map(function(lens) return lens.command.title end, vim.lsp.codelens.get(buffer)), " | "))
end
local edits = request("textDocument/formatting", vim.lsp.util.make_formatting_params({ tabSize = 2, insertSpaces = true }))
say("formatting", #(edits or {}))
say("encoding", vim.lsp.get_client_by_id(id).offset_encoding)
vim.lsp.stop_client(id)
vim.wait(5000, function() return vim.lsp.get_client_by_id(id) == nil end, 20)
say("DONE", "")
out:close()
vim.cmd("qall!")
