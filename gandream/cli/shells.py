"""What each shell runs to have the command line completed: all of them ask the program itself (``complete.py``)."""

from __future__ import annotations

BASH = r"""_gandream() {
  COMPREPLY=()
  local one
  while IFS= read -r one; do
    COMPREPLY+=("$one")
  done < <(_GANDREAM_COMPLETE=bash gandream "${COMP_LINE:0:COMP_POINT}" "$COMP_WORDBREAKS" 2>/dev/null)
  compopt -o nospace 2>/dev/null  # where a word ends, its space is there already
}
complete -o nospace -F _gandream gandream
"""

ZSH = r"""#compdef gandream
_gandream() {
  local one
  local -a whole begun told_whole told_begun
  for one in "${(@f)$(_GANDREAM_COMPLETE=zsh gandream "${(@Q)words[2,CURRENT]}" 2>/dev/null)}"; do
    [[ -z $one ]] && continue
    local word=${one%%$'\t'*}
    if [[ $word == *[=/#] ]]; then
      begun+=("$word") told_begun+=("${one//$'\t'/  }")
    else
      whole+=("$word") told_whole+=("${one//$'\t'/  }")
    fi
  done
  (( $#begun )) && compadd -l -S '' -d told_begun -- "${begun[@]}"
  (( $#whole )) && compadd -l -d told_whole -- "${whole[@]}"
}
if [[ $funcstack[1] == _gandream ]]; then _gandream "$@"; else compdef _gandream gandream; fi
"""

FISH = r"""function __gandream_complete
    set -l words (commandline -opc) (commandline -ct)
    set -l begun (commandline -ct)
    test (count $begun) -eq 0; and set -a words ''
    env _GANDREAM_COMPLETE=fish gandream $words[2..-1] 2>/dev/null
end
complete -c gandream -f -a '(__gandream_complete)'
"""

POWERSHELL = r"""Register-ArgumentCompleter -Native -CommandName gandream -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $words = @($commandAst.CommandElements | Select-Object -Skip 1 | ForEach-Object { "$_" })
    if ($wordToComplete -eq '') { $words += '' }
    $env:_GANDREAM_COMPLETE = 'powershell'
    $env:_GANDREAM_WORDS = $words -join "`n"
    try {
        gandream 2>$null | ForEach-Object {
            $word, $about = $_ -split "`t", 2
            if (-not $about) { $about = $word }
            $said = if ($word -match '^[\w./\\:=#~,+-]+$') { $word } else { "'" + $word.Replace("'", "''") + "'" }
            [System.Management.Automation.CompletionResult]::new($said, $word, 'ParameterValue', $about)
        }
    } finally {
        Remove-Item Env:_GANDREAM_COMPLETE, Env:_GANDREAM_WORDS
    }
}
"""

SCRIPTS = {"bash": BASH, "zsh": ZSH, "fish": FISH, "powershell": POWERSHELL}
