-- Which files are policies.
vim.api.nvim_create_autocmd({ "BufRead", "BufNewFile" }, {
  pattern = "*.ilk",
  callback = function()
    vim.bo.filetype = "ilk"
  end,
})
