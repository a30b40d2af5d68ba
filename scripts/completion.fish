# Completes make and python in the folder of the project, together with what the shell completes anyway.

function _pipeline_is_meant
    test (realpath .) = (realpath $_pipeline_folder); or return
    set -l words (commandline -opc)
    string match -q -r '(^|/)make$' -- $words[1]; and return
    test "$words[2]" = -m
end

function _pipeline_complete
    set -lx COMP_WORDS (commandline -cp)
    set -lx COMP_CWORD (commandline -t)
    for line in ($_pipeline_folder/.venv/bin/python -m scripts.completion fish --answer 2>/dev/null)
        set -l parts (string split -m 1 , -- $line)
        switch $parts[1]
            case dir
                __fish_complete_directories $parts[2]
            case file
                __fish_complete_path $parts[2]
            case plain
                echo $parts[2]
        end
    end
end

for name in make python python3
    complete -c $name -n _pipeline_is_meant -f -a '(_pipeline_complete)'
end
