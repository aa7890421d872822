" Colours for policies where there is no tree-sitter grammar.
if exists("b:current_syntax")
  finish
endif

syntax iskeyword @,48-57,_
" A word after a dot or before a colon names a field. Of what starts at one place, the last that matches counts.
syntax match ilkField /\.\s*\h\w*/
syntax match ilkField /\<\h\w*\>\ze\s*:\%(:\)\@!/
syntax match ilkCall /\<\h\w*\>\ze(/
syntax match ilkType /\<\u\w*\>\%(\s*:[^:]\)\@!/
syntax match ilkBoolean /\<\%(true\|false\)\>\%(\s*:[^:]\)\@!/
syntax match ilkConditional /\<\%(if\|then\|else\|otherwise\)\>\%(\s*:[^:]\)\@!/
syntax match ilkWordOperator /\<\%(and\|or\|not\|in\|like\|is\|has\|subset_of\|starts_with\|ends_with\|contains\|union\|intersect\|minus\)\>\%(\s*:[^:]\)\@!/
syntax match ilkDeclaration /\<\%(enum\|entity\|type\|define\)\>\%(\s*:[^:]\)\@!/
syntax match ilkModifier /\<\%(abstract\|ordered\|extends\|group\)\>\%(\s*:[^:]\)\@!/
syntax match ilkImport /\<\%(module\|use\)\>\%(\s*:[^:]\)\@!/
syntax match ilkClause /\<\%(principal\|action\|resource\|context\|effects\|when\|unless\|need\|because\|instead\|given\|expect\)\>\%(\s*:[^:]\)\@!/
syntax match ilkOutcome /\<\%(permit\|hold\|deny\|forbid\|require\)\>\%(\s*:[^:]\)\@!/
syntax match ilkClaim /\<\%(never\|always\|permitted\|fails\|denied\|held\|only\|by\|for\|any\|sequence\|of\|actions\|exists\|where\|prove\|test\)\>\%(\s*:[^:]\)\@!/
syntax match ilkNumber /\<\d[0-9_]*\%(\.\d\+\)\=\>/
syntax match ilkNumber /\<\d\+\%(ms\|us\|ns\|[wdhms]\)\%(\d\+\%(ms\|us\|ns\|[dhms]\)\)*\>/
syntax match ilkEscape /\\./ contained
syntax match ilkInterpolation /{[^{}"]*}/ contained
syntax region ilkString start=/"/ skip=/\\./ end=/"/ oneline contains=ilkEscape,ilkInterpolation
syntax match ilkAnnotation /@\h\w*/
syntax match ilkComment +//.*$+ contains=@Spell
syntax match ilkDocumentation +///.*$+ contains=@Spell

highlight default link ilkBoolean Boolean
highlight default link ilkConditional Conditional
highlight default link ilkWordOperator Operator
highlight default link ilkDeclaration Structure
highlight default link ilkModifier StorageClass
highlight default link ilkImport Include
highlight default link ilkClause Statement
highlight default link ilkOutcome Keyword
highlight default link ilkClaim Keyword
highlight default link ilkField Identifier
highlight default link ilkCall Function
highlight default link ilkType Type
highlight default link ilkNumber Number
highlight default link ilkEscape SpecialChar
highlight default link ilkInterpolation Special
highlight default link ilkString String
highlight default link ilkAnnotation PreProc
highlight default link ilkComment Comment
highlight default link ilkDocumentation SpecialComment

let b:current_syntax = "ilk"
