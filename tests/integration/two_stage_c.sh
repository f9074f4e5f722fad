#!/bin/sh
# A compiler in one stage, its program alone in the other: one layer from scratch that runs.
. "$(dirname "$0")/../lib/common.sh"
# shellcheck source=tests/lib/judge.sh
. "$TESTS/lib/judge.sh"
need skopeo umoci jq
debian_registry

mkdir context
cat >context/Dockerfile <<EOF
FROM $REGISTRY/debian AS build
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev
WORKDIR /src
COPY hello.c .
RUN gcc -O2 -static -s -o /hello hello.c

FROM scratch
COPY --from=build /hello /hello
ENTRYPOINT ["/hello"]
CMD ["world"]
EOF
cat >context/hello.c <<'EOF'
#include <stdio.h>

int main(int argc, char **argv)
{
	printf("hello %s\n", argc > 1 ? argv[1] : "nobody");
	return 3;
}
EOF

builds "the image builds" -t hello -o "oci:$T/layout:hello" context || bail "nothing to run"
judge "$T/layout" hello
is "$(layers_of "$T/layout" hello | wc -l)" 1 "one layer"
nacre run --rm hello
is "$(cat out)" "hello world" "it runs with its CMD"
is "$status" 3 "its exit status is passed on"
nacre run --rm hello reader
is "$(cat out)" "hello reader" "it runs with other arguments"
is "$(crun_image "$T/layout" hello /hello crun)" "hello crun" "it runs under crun"
is "$(podman_image "$T/layout" hello podman)" "hello podman" "it runs under podman"

builds "only the first stage" --target build -t toolchain context
nacre run --rm toolchain gcc --version
like out '^gcc' "the stage runs"

echo 'int main(void) { return 0 }' >context/hello.c
refused 5 'exit code: 1' "a compiler error is a failed RUN" build context
like err 'hello.c:1' "and the compiler's message is shown"
done_testing
