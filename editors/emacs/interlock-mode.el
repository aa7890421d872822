;;; interlock-mode.el --- Policies of Interlock -*- lexical-binding: t; -*-

;; Version: 0.1.0
;; Package-Requires: ((emacs "27.1"))
;; Keywords: languages
;; SPDX-License-Identifier: Apache-2.0

;;; Commentary:

;; A major mode for .ilk files; `M-x eglot' starts the language server in it.

;;; Code:

(require 'compile)

(defgroup interlock nil
  "Policies of Interlock."
  :group 'languages)

(defcustom interlock-command '("interlock")
  "The program and its first arguments."
  :type '(repeat string))

(defconst interlock-keywords
  '("abstract" "action" "actions" "always" "and" "any" "because" "by" "contains" "context" "define"
    "denied" "deny" "effects" "else" "ends_with" "entity" "enum" "exists" "expect" "extends" "fails"
    "for" "forbid" "given" "group" "has" "held" "hold" "if" "in" "instead" "intersect" "is" "like"
    "minus" "module" "need" "never" "not" "of" "only" "or" "ordered" "otherwise" "permit" "permitted"
    "principal" "prove" "require" "resource" "sequence" "starts_with" "subset_of" "test" "then" "type"
    "union" "unless" "use" "when" "where")
  "The words of the language, beside its constants.")

(defconst interlock-constants '("true" "false")
  "The constants of the language.")

(defconst interlock-font-lock-keywords
  `((,(concat "\\_<\\(?:permit\\|forbid\\|require\\|prove\\|test\\|define\\)[ \t]+"
              "\\([A-Za-z_][A-Za-z0-9_]*\\)[ \t]*[({]")
     (1 font-lock-function-name-face))
    ;; A word after a dot or before a colon names a field.
    ("\\.[ \t]*\\([A-Za-z_][A-Za-z0-9_]*\\)" (1 font-lock-variable-name-face))
    ("\\_<\\([A-Za-z_][A-Za-z0-9_]*\\)[ \t]*:\\(?:[^:]\\|$\\)" (1 font-lock-variable-name-face))
    ("@[A-Za-z_][A-Za-z0-9_]*" . font-lock-preprocessor-face)
    (,(regexp-opt interlock-keywords 'symbols) . font-lock-keyword-face)
    (,(regexp-opt interlock-constants 'symbols) . font-lock-constant-face)
    ("\\_<[A-Z][A-Za-z0-9_]*\\_>" . font-lock-type-face))
  "How policies are coloured.")

(defvar interlock-mode-syntax-table
  (let ((table (make-syntax-table)))
    (modify-syntax-entry ?_ "_" table)
    (modify-syntax-entry ?/ ". 12" table)
    (modify-syntax-entry ?\n ">" table)
    (modify-syntax-entry ?\" "\"" table)
    (modify-syntax-entry ?\\ "\\" table)
    table)
  "Comments, strings and words of policies.")

(defun interlock-indent-line ()
  "Indent by two for every bracket that is open at the start of the line."
  (interactive)
  (let ((column (save-excursion
                  (back-to-indentation)
                  (let ((depth (car (syntax-ppss))))
                    (* 2 (max 0 (if (looking-at "[})]") (1- depth) depth))))))
        (offset (- (current-column) (current-indentation))))
    (indent-line-to column)
    (when (> offset 0) (forward-char offset))))

(defun interlock-run (subcommand)
  "Run SUBCOMMAND (check, test or prove) on the file of this buffer."
  (interactive (list (completing-read "Interlock: " '("check" "test" "prove") nil t)))
  (save-buffer)
  (let ((words (append interlock-command (list subcommand buffer-file-name))))
    (compile (mapconcat #'shell-quote-argument words " "))))

;;;###autoload
(define-derived-mode interlock-mode prog-mode "Interlock"
  "Major mode for policies of Interlock."
  (setq-local comment-start "// ")
  (setq-local comment-end "")
  (setq-local comment-start-skip "//+[ \t]*")
  (setq-local indent-tabs-mode nil)
  (setq-local tab-width 2)
  (setq-local indent-line-function #'interlock-indent-line)
  (setq-local font-lock-defaults '(interlock-font-lock-keywords))
  (setq-local imenu-generic-expression
              (list (list nil
                          (concat "^\\(?:permit\\|forbid\\|require\\|prove\\|test\\|define\\)[ \t]+"
                                  "\\([A-Za-z_][A-Za-z0-9_]*\\)")
                          1))))

;;;###autoload
(add-to-list 'auto-mode-alist '("\\.ilk\\'" . interlock-mode))

(add-to-list 'compilation-error-regexp-alist 'interlock)
(add-to-list 'compilation-error-regexp-alist-alist
             '(interlock "^ +--> \\(.+\\):\\([0-9]+\\):\\([0-9]+\\)$" 1 2 3))

(defvar eglot-server-programs)
(with-eval-after-load 'eglot
  (add-to-list 'eglot-server-programs
               (cons 'interlock-mode (lambda (&rest _) (append interlock-command '("lsp"))))))

(provide 'interlock-mode)
;;; interlock-mode.el ends here
