#!/bin/sh
# aircher-hook 1 @SUM@
# Written by `aircher hook install`; `aircher hook uninstall` takes it away again.
# It fills in a commit message where there is none yet.  Whatever goes wrong, your commit goes on.
program=@PROGRAM@
here=$(dirname "$0")
earlier="$here/@EARLIER@"

# The hook that was here before; its exit status counts.
run_earlier() {
    [ -f "$earlier" ] || return 0
    # As the legacy hook of pre-commit we are its child; started again it would refuse the commit.
    if [ -n "${PRE_COMMIT_RUNNING_LEGACY-}" ] && grep -q pre-commit.com "$earlier"; then
        return 0
    fi
    if [ -x "$earlier" ]; then
        "$earlier" "$@"
    elif [ @HUSKY@ = yes ]; then
        sh -e "$earlier" "$@"
    fi
}

write_message() {
    case ${2-} in message | merge | squash | commit) return 0 ;; esac
    [ -x "$program" ] || program=$(command -v aircher) || return 0
    ended=0
    "$program" hook run "$@" </dev/null || ended=$?
    [ "$ended" -ne 0 ] || return 0
    echo "aircher: no message was written (aircher ended with $ended)" >&2
    case $(git config commit.cleanup) in verbatim | whitespace | scissors) return 0 ;; esac
    mark=$(git config core.commentString || git config core.commentChar || echo '#')
    [ "$mark" = auto ] || echo "$mark aircher: no message was written (it ended with $ended)" >>"$1"
    return 0
}

@ORDER@
exit 0
