#!/bin/sh
# Installs with apt what building and testing need and this machine lacks. Quick and silent when nothing is missing.
#
#   sh tests/lib/install.sh [--check] [build] [test]
#
# --check  only says what is missing; exit status 1 if anything is
# build    what compiling and the demo need; test: what the test suites need. Default: both
set -eu

build_packages='
  gcc libc6-dev meson ninja-build pkg-config
  libssl-dev libyajl-dev libzstd-dev zlib1g-dev libisal-dev libarchive-dev
  libseccomp-dev libcurl4-openssl-dev libcmocka-dev scdoc
  busybox-static uidmap util-linux
'
test_packages='
  clang cppcheck shellcheck libclang-rt-dev libarchive-tools libsqlite3-0
  python3 git make jq openssh-client zstd xz-utils bzip2 curl openssl apache2-utils attr libcap2-bin procps strace tmux
  skopeo umoci podman buildah crun docker-registry mmdebstrap ca-certificates qemu-user-static
'

check=no
groups=
for word; do
  case $word in
  --check) check=yes ;;
  build | test) groups="$groups $word" ;;
  *)
    echo "usage: install.sh [--check] [build] [test]" >&2
    exit 2
    ;;
  esac
done
[ -n "$groups" ] || groups='build test'

wanted=
for group in $groups; do
  case $group in
  build) wanted="$wanted $build_packages" ;;
  test) wanted="$wanted $test_packages" ;;
  esac
done

if ! command -v dpkg-query >/dev/null 2>&1; then
  [ "$check" = no ] || exit 0
  echo "install.sh: not a Debian system; the packages needed are, by their Debian names:" >&2
  # shellcheck disable=SC2086
  echo $wanted >&2
  exit 0
fi

# shellcheck disable=SC2086
installed=$(dpkg-query -W -f '${Package} ${Status}\n' 2>/dev/null | sed -n 's/ install ok installed$//p')
missing=
for package in $wanted; do
  echo "$installed" | grep -qxF "$package" || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ "$check" = yes ]; then
  echo "missing:$missing"
  exit 1
fi

sudo=
if [ "$(id -u)" != 0 ]; then
  if ! command -v sudo >/dev/null 2>&1; then
    echo "install.sh: these packages are missing, and there is no sudo to install them:$missing" >&2
    exit 1
  fi
  sudo=sudo
fi

echo "install.sh: installing$missing" >&2
log=$(mktemp)
trap 'rm -f "$log"' EXIT
apt() {
  if ! $sudo env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=120 "$@" >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    echo "install.sh: apt-get $* failed" >&2
    exit 1
  fi
}
apt update
# shellcheck disable=SC2086
apt install -y --no-install-recommends $missing

# The tests start registries of their own; the package's service would hold port 5000.
case $missing in
*docker-registry*) $sudo systemctl disable --now docker-registry.service >/dev/null 2>&1 || true ;;
esac
