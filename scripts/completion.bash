# Completes make and python in the folder of the project. Elsewhere, and for other modules, the shell does as before.

_pipeline_complete() {
    local name=${1##*/}
    if ! _pipeline_is_meant "$name"; then
        local other=_pipeline_other_$name
        if [[ ${!other-} ]]; then "${!other}" "$@"; fi
        return
    fi
    # Bash splits VARIABLE=value at the sign, which is a word of its own.
    local word words=() type value IFS=$'\n'
    for word in "${COMP_WORDS[@]:0:COMP_CWORD}" "${2#=}"; do
        if [[ $word != = ]]; then words+=("$word"); fi
    done
    while IFS=, read -r type value; do
        case $type in
            dir) compopt -o dirnames ;;
            file) compopt -o default ;;
            plain)
                COMPREPLY+=("$value")
                if [[ $value == *= ]]; then compopt -o nospace; fi
                ;;
        esac
    done < <(
        COMP_WORDS="${words[*]}" COMP_CWORD=$((${#words[@]} - 1)) \
            "$_pipeline_folder/.venv/bin/python" -m scripts.completion bash --answer 2>/dev/null
    )
}

_pipeline_is_meant() {
    [[ . -ef $_pipeline_folder ]] || return
    [[ $1 == make ]] && return
    [[ ${COMP_WORDS[1]-} == -m && $COMP_CWORD -ge 2 ]] || return
    [[ scripts == "${COMP_WORDS[2]-}"* || ${COMP_WORDS[2]-} == scripts* ]]
}

for _pipeline_word in make python python3; do
    # The package bash-completion defines a command's function when the command is completed first.
    if declare -F _comp_load >/dev/null; then
        _comp_load "$_pipeline_word" >/dev/null 2>&1
    elif declare -F _completion_loader >/dev/null; then
        _completion_loader "$_pipeline_word" >/dev/null 2>&1
    fi
done
for _pipeline_word in make python python3; do
    if [[ $(complete -p "$_pipeline_word" 2>/dev/null) =~ \ -F\ ([^ ]+) && ${BASH_REMATCH[1]} != _pipeline_complete ]]; then
        declare -g "_pipeline_other_$_pipeline_word=${BASH_REMATCH[1]}"
    fi
    complete -o bashdefault -o default -o nosort -F _pipeline_complete "$_pipeline_word"
done
unset _pipeline_word
