# shellcheck shell=sh disable=SC2034
# Sourced by deploy/quickstart.sh and tests/run.sh: Debian packages, installed only when missing.

# What building the suite needs.
build_packages='
  g++ cmake ninja-build ccache lld pkg-config ca-certificates
  protobuf-compiler libprotobuf-dev libprotoc-dev protobuf-compiler-grpc libgrpc++-dev libabsl-dev libre2-dev libc-ares-dev
  libsqlite3-dev libpq-dev libhiredis-dev libyaml-cpp-dev libssl-dev libgcrypt20-dev libcpp-httplib-dev zlib1g-dev
  libbrotli-dev libzip-dev libpugixml-dev libexpat1-dev libxlsxwriter-dev libicu-dev libpango1.0-dev prometheus-cpp-dev libcli11-dev nlohmann-json3-dev
  golang-github-gogo-googleapis-dev'

# as_root COMMAND...: runs it as root, by sudo where needed; never asks for a password.
as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  else
    sudo -n "$@"
  fi
}

# What the tests need besides.
test_packages='libgtest-dev libgmock-dev postgresql-15 redis-server prometheus hledger
  libreoffice-writer-nogui libreoffice-calc-nogui poppler-utils fonts-wqy-microhei fonts-arphic-gbsn00lp fonts-arphic-gkai00mp'

# install_packages NAME...
install_packages() {
  if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    echo "This needs Debian 12 (apt-get); on another system install what deploy/packages.sh lists." >&2
    return 1
  fi
  missing=''
  for package in "$@"; do
    case $(dpkg-query -W -f='${Status}' "$package" 2>/dev/null) in
      *' installed') ;;
      *) missing="$missing $package" ;;
    esac
  done
  [ -n "$missing" ] || return 0
  if [ "$(id -u)" != 0 ] && ! sudo -n true 2>/dev/null; then
    echo "These packages are missing and you are neither root nor allowed to use sudo without a password:" >&2
    echo " $missing" >&2
    echo "Ask an administrator for: apt-get install$missing" >&2
    return 1
  fi
  echo "installing:$missing"
  as_root apt-get update -q >/dev/null || return 1
  quiet_services=no
  if [ ! -e /usr/sbin/policy-rc.d ]; then # Packages must not start servers of their own.
    quiet_services=yes
    as_root sh -c 'printf "#!/bin/sh\nexit 101\n" >/usr/sbin/policy-rc.d && chmod +x /usr/sbin/policy-rc.d'
  fi
  # shellcheck disable=SC2086 # a list of names
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing |
    sed -n 's/^Setting up \([^ ]*\) .*/  \1/p'
  [ $quiet_services = no ] || as_root rm -f /usr/sbin/policy-rc.d
  for package in $missing; do
    case $(dpkg-query -W -f='${Status}' "$package" 2>/dev/null) in
      *' installed') ;;
      *)
        echo "apt-get could not install $package (no network, or no such package in this release)" >&2
        return 1
        ;;
    esac
  done
}

# Compilers that fit into this machine's processors and memory (about 1.2 GB each).
build_jobs() {
  processors=$(nproc)
  fitting=$(sed -n 's/^MemAvailable: *\([0-9]*\) kB/\1/p' /proc/meminfo)
  fitting=$((fitting / 1200000))
  [ "$fitting" -ge 1 ] || fitting=1
  if [ "$fitting" -lt "$processors" ]; then echo "$fitting"; else echo "$processors"; fi
}
