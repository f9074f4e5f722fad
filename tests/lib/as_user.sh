#!/bin/sh
# Runs a command as a plain user who has subordinate ids:  sh tests/lib/as_user.sh COMMAND [ARGUMENT…]
#
# A plain user with subordinate ids runs it directly. Root runs it as the user "nacre-test", which is made on first need; so does
# a plain user without subordinate ids, through sudo. HOME and XDG_RUNTIME_DIR are the user's own, the rest of the
# environment is kept.
set -eu

user=nacre-test
first=700000 # of 65536 subordinate ids: clear of the ranges adduser hands out on a fresh machine

has_ids() {
  # /etc/subuid names the user or gives the number; subuid(5)
  grep -q "^\($1\|$2\):" /etc/subuid 2>/dev/null && grep -q "^\($1\|$2\):" /etc/subgid 2>/dev/null
}

if [ "$(id -u)" != 0 ]; then
  if has_ids "$(id -un)" "$(id -u)"; then
    exec "$@"
  fi
  command -v sudo >/dev/null || {
    echo "as_user.sh: $(id -un) has no subordinate ids and there is no sudo to make a test user that has" >&2
    exit 1
  }
  exec sudo -E sh "$0" "$@"
fi

(
  flock 9
  id "$user" >/dev/null 2>&1 || useradd --create-home --shell /bin/sh "$user"
  if ! has_ids "$user" "$(id -u "$user")"; then
    while grep -q ":$first:" /etc/subuid /etc/subgid 2>/dev/null; do first=$((first + 65536)); done
    usermod --add-subuids "$first-$((first + 65535))" --add-subgids "$first-$((first + 65535))" "$user"
  fi
) 9>/run/lock/nacre-test-user

home=$(getent passwd "$user" | cut -d: -f6)
runtime=/run/user/$(id -u "$user")
[ -d "$runtime" ] || install -d -m 700 -o "$user" -g "$(id -g "$user")" "$runtime"
exec setpriv --reuid "$user" --regid "$(id -g "$user")" --init-groups \
  env HOME="$home" USER="$user" LOGNAME="$user" XDG_RUNTIME_DIR="$runtime" XDG_CACHE_HOME="$home/.cache" \
  XDG_DATA_HOME="$home/.local/share" XDG_CONFIG_HOME="$home/.config" DBUS_SESSION_BUS_ADDRESS= "$@"
