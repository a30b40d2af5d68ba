# Completes make and python in the folder of the project. Elsewhere, and for other modules, the shell does as before.

_pipeline_complete() {
    if ! _pipeline_is_meant; then
        case $service in
            make) _make "$@" ;;
            *) _python "$@" ;;
        esac
        return
    fi
    local type value help
    local -a response plain described unfinished
    response=("${(@f)$(COMP_WORDS="${words[*]}" COMP_CWORD=$((CURRENT - 1)) \
        $_pipeline_folder/.venv/bin/python -m scripts.completion zsh --answer 2>/dev/null)}")
    for type value help in $response; do
        case $type in
            dir | file)
                compset -P '*='
                if [[ $type == dir ]]; then _path_files -/; else _path_files; fi
                ;;
            plain)
                if [[ $value == *= ]]; then
                    unfinished+=($value)
                elif [[ $help == _ ]]; then
                    plain+=($value)
                else
                    described+=("$value:$help")
                fi
                ;;
        esac
    done
    if (( $#described )); then _describe -V command described; fi
    if (( $#plain )); then compadd -V values -a plain; fi
    if (( $#unfinished )); then compadd -S '' -V variables -a unfinished; fi
}

_pipeline_is_meant() {
    [[ . -ef $_pipeline_folder ]] || return
    [[ $service == make ]] && return
    [[ $words[2] == -m && $CURRENT -ge 3 ]] || return
    [[ scripts == $words[3]* || $words[3] == scripts* ]]
}

if (( ! $+functions[compdef] )); then autoload -Uz compinit && compinit; fi
compdef _pipeline_complete make python python3
