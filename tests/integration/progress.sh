#!/bin/sh
# What a build shows: lines for logs, a live view in a real terminal, objects for programs.
. "$(dirname "$0")/../lib/common.sh"
need tmux jq base64
busybox_registry

dockerfile <<'EOF'
FROM BASE AS first
RUN for i in 1 2 3 4 5 6 7 8; do echo "first $i"; sleep 0.05; done
FROM BASE AS second
RUN for i in 1 2 3 4 5 6 7 8; do echo "second $i"; sleep 0.05; done; printf 'half '; sleep 0.5; echo 'whole'; printf 'no end'
FROM BASE
COPY --from=first /bin/sh /first
COPY --from=second /bin/sh /second
RUN printf 'tab\there \033[31mred\033[0m 10%%\r90%%\n'
EOF

# ---- plain

builds "stages at once" context || bail "nothing to go on with"
unlike err "$(printf '\033')\[[0-9]*[A-Z]" "no cursor is moved where there is no terminal"
for name in first second; do
  is "$(sed -n "s/^#[0-9]* [0-9.]* \($name [0-9]\)\$/\1/p" err | tr '\n' ' ')" "$(for i in 1 2 3 4 5 6 7 8; do printf '%s ' "$name $i"; done)" \
    "all lines of the $name in their order"
done
like err '^#[0-9]+ [0-9.]+ half whole$' "a line that comes in two pieces is one"
like err '^#[0-9]+ [0-9.]+ no end$' "and one without an end is shown"
# How often the lines of the log change from one of the two to the other
turns() { sed -n 's/^#\([0-9]*\) [0-9.]* \(first\|second\) [0-9]$/\2/p' err | uniq | wc -l; }
check "what runs at once does not alternate line by line: $(turns)" test "$(turns)" -le 3
"$NACRE" build --progress quiet context >out 2>err
is "$(cat err)" "" "quiet"
BUILDKIT_PROGRESS=quiet "$NACRE" build context >out 2>err
is "$(cat err)" "" "BUILDKIT_PROGRESS says it too"
BUILDKIT_PROGRESS=quiet "$NACRE" build --progress plain context >out 2>err
like err CACHED "the option wins"
export BUILDKIT_PROGRESS=fancy
refused 2 'BUILDKIT_PROGRESS fancy: auto, tty, plain, rawjson or quiet' "another word there" build context
unset BUILDKIT_PROGRESS

# ---- CI systems

GITHUB_ACTIONS=true "$NACRE" build --no-cache context >out 2>err
is "$(awk '/^::group::/ { if (open) bad = 1; open = 1 } /^::endgroup::/ { if (!open) bad = 1; open = 0 } END { print bad + open }' err)" 0 \
  "groups for GitHub begin and end and do not nest"
like err '^::group::#[0-9]+ \[second 2/2\] RUN ' "they have the title of the step"
is "$(grep -c '^::' err)" "$(grep -Ec '^::(endgroup::$|group::#)' err)" "and no other command of GitHub is in the log"
unlike err "$(printf '\r')" "nor what it could take for one"
GITLAB_CI=true "$NACRE" build --no-cache context >out 2>err
begins=$(grep -ac 'section_start:[0-9]*:nacre_[0-9]*' err)
check "sections for GitLab" test "$begins" -ge 6
is "$(grep -ac 'section_end:[0-9]*:nacre_[0-9]*' err)" "$begins" "each with its end"

# ---- rawjson

"$NACRE" build --no-cache --progress rawjson context >out 2>err
check "every line is an object" jq -e -s 'all(type == "object")' err
is "$(jq -s '[.[].vertexes[]? | select(.completed) | .digest] | unique | length' err)" \
  "$(jq -s '[.[].vertexes[]? | .digest] | unique | length' err)" "all that begins ends"
is "$(jq -s '[.[].vertexes[]? | select(.completed) | select(.started > .completed)] | length' err)" 0 "and not before it began"
is "$(jq -rs '[.[].vertexes[]? | select(.name | contains("half")) | .digest][0] as $d | .[].logs[]? | select(.vertex == $d and .stream == 1) | .data' err |
  while read -r data; do echo "$data" | base64 -d; done | tail -n 2 | tr '\n' '|')" "half whole|no end|" "output is in base64"
"$NACRE" build --progress rawjson context >out 2>err
check "cached" jq -e -s '[.[].vertexes[]? | select(.cached)] | length > 4' err

# ---- a terminal

cat >live.sh <<EOF
cd "$T" && "$NACRE" build --no-cache "\$@" context; echo "status \$?"; exec sleep 60
EOF
sessions=0
# terminal COLUMNS LINES ARGUMENT…: a build in a terminal of that size
terminal() {
  columns=$1 lines=$2
  shift 2
  sessions=$((sessions + 1))
  tmux -L "nacre-$sessions" -f /dev/null new-session -d -x "$columns" -y "$lines" env -u CI sh live.sh "$@"
}
screen() { tmux -L "nacre-$sessions" capture-pane -p "$@"; }
shows() { screen | grep -Eq -e "$1"; }
close_terminal() { tmux -L "nacre-$sessions" kill-server 2>/dev/null; }

terminal 80 24
check "what runs is shown with its last lines" wait_for 10 shows '^   (first|second) [3-8]$'
check "and how far the build is" shows '^\[\+\] [0-9]+ of 8 steps +[0-9.]+s$'
check "the end" wait_for 20 shows '^status 0$'
screen >screen.out
is "$(grep -c '^=> ' screen.out)" 8 "of each step one line stays"
unlike screen.out '^   |^\[\+\]' "and nothing of the live part"
is "$(awk 'length > 79' screen.out | grep -vc '^sha256:')" 0 "no line is wider than the terminal"
like screen.out '^=> \[second 2/2\] RUN for i in .*\.\.\. [0-9.]+s$' "long titles are cut, times stand at the margin"
close_terminal

terminal 40 8
check "a small terminal" wait_for 10 shows '^   (first|second) [1-8]$'
tmux -L "nacre-$sessions" resize-window -x 100 -y 30
check "that is made larger" wait_for 20 shows '^status 0$'
screen >screen.out
unlike screen.out '^   |^\[\+\]' "nothing of the live part is left behind"
close_terminal

sed -i 's/^RUN printf.*/&; echo "what went wrong" >\&2; exit 7/' context/Dockerfile
terminal 80 40
check "a step that fails" wait_for 20 shows '^status 5$'
screen >screen.out
like screen.out '^=> ERROR \[stage-2 4/4\] RUN printf' "is named"
like screen.out '^   what went wrong$' "with the last it printed"
like screen.out '^   90%$' "where what a carriage return wrote over is gone"
like screen.out '^ +8 \| >>> RUN printf' "and the lines of the Dockerfile"
screen -e >colors.out
like colors.out "$(printf '\033')\[31m=> ERROR" "in red"
close_terminal
export NO_COLOR=1
terminal 80 40
wait_for 20 shows '^status 5$'
screen -e >colors.out
unlike colors.out "$(printf '\033')\[[0-9]*m=>" "NO_COLOR: without colors"
close_terminal
unset NO_COLOR
TERM=dumb script -qec "$NACRE build --target first context" /dev/null >dumb.out 2>&1
unlike dumb.out "$(printf '\033')" "a dumb terminal gets lines"
done_testing
