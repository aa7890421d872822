-- How a policy is typed.
if vim.b.did_ftplugin then
  return
end
vim.b.did_ftplugin = 1
vim.b.undo_ftplugin = "setlocal commentstring< comments< expandtab< shiftwidth< softtabstop< formatoptions<"

vim.opt_local.commentstring = "// %s"
vim.opt_local.comments = ":///,://"
vim.opt_local.formatoptions:append("croql")
vim.opt_local.formatoptions:remove("t")
vim.opt_local.expandtab = true
vim.opt_local.shiftwidth = 2
vim.opt_local.softtabstop = 2
