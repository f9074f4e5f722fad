#!/bin/sh
# --sbom and --provenance: what is installed, as dpkg-query says it; documents whose fields are valid; artifacts beside the image.
. "$(dirname "$0")/../lib/common.sh"
need jq skopeo dpkg-query curl strings python3
debian_layout

mkdir -p context/apk/lib/apk/db context/apk/etc context/modules context/empty
cat >context/Dockerfile <<E
FROM debian
COPY modules /opt/
RUN echo "\$SECRET" > /word
E
# As pip, npm and cargo lay them out, with what must not count beside it.
(
  cd context/modules || exit 1
  mkdir -p 'lib/Some_Package-1.2.dist-info' node_modules/left-pad node_modules/@scope/thing node_modules/left-pad/test app
  printf 'Metadata-Version: 2.1\nName: Some_Package\nVersion: 1.2\nLicense: MIT\n\nName: prose\nVersion: 9\n' \
    >'lib/Some_Package-1.2.dist-info/METADATA'
  echo '{"name":"left-pad","version":"1.3.0","license":"WTFPL"}' >node_modules/left-pad/package.json
  echo '{"name":"@scope/thing","version":"2.0.0+build"}' >node_modules/@scope/thing/package.json
  echo '{"name":"no-module","version":"1"}' >node_modules/left-pad/test/package.json
  echo '{"name":' >node_modules/package.json
  printf '[[package]]\nname = "serde"\nversion = "1.0.1"\n\n[[package]]\nname = "libc"\nversion = "0.2.9"\ndependencies = [\n "x",\n]\n' >app/Cargo.lock
)
base=debian=oci-layout://$DEBIAN_LAYOUT:latest

builds "an SBOM and provenance of a Debian image [OUT-06]" --build-context "$base" --sbom true --provenance true --attest-dir said \
  --build-arg SECRET=hidden -t app -o "oci:$T/layout:app" context
image=$(head -n 1 out)
spdx=said/sbom.spdx.json
jq .predicate $spdx >document
# What the image's own dpkg says; ours is without its namespace.
nacre run app dpkg-query -W -f '${Package} ${Version} ${Architecture}\n'
sort out >wanted
purls='.packages[].externalRefs[]? | select(.referenceType == "purl").referenceLocator'
jq -r '.packages[] | select(.externalRefs[0].referenceLocator // "" | startswith("pkg:deb/")) |
  .name + " " + .versionInfo + " " + (.externalRefs[0].referenceLocator | capture("arch=(?<a>[a-z0-9]+)").a)' document | sort >got
same got wanted "the packages are those of dpkg-query"
is "$(jq -r '.subject[0].digest.sha256' $spdx)" "${image#sha256:}" "the statement is about the image"
is "$(jq -r '[._type, .predicateType] | join(" ")' $spdx)" "https://in-toto.io/Statement/v1 https://spdx.dev/Document" "its type"
is "$(jq -r '[.spdxVersion, .dataLicense, .SPDXID] | join(" ")' document)" "SPDX-2.3 CC0-1.0 SPDXRef-DOCUMENT" "SPDX 2.3"
is "$(jq '[.packages[].SPDXID] | length == (unique | length) and all(test("^SPDXRef-[A-Za-z0-9.-]+$"))' document)" true \
  "ids are valid, and each there once"
is "$(jq '[.packages[] | .name, .SPDXID, .downloadLocation] | all(type == "string" and length > 0)' document)" true \
  "no package lacks a field it must have"
is "$(jq '. as $d | [.relationships[].relatedSpdxElement] | sort == ([$d.packages[].SPDXID] | sort)' document)" true \
  "each package has its relationship"
like document "$(jq -r .creationInfo.created document | grep -E '^[0-9-]+T[0-9:]+Z$')" "created is a time"
jq -r "$purls" document | grep -v ^pkg:deb/ | sort >others
cat >wanted <<'E'
pkg:cargo/libc@0.2.9
pkg:cargo/serde@1.0.1
pkg:npm/%40scope/thing@2.0.0%2Bbuild
pkg:npm/left-pad@1.3.0
pkg:pypi/some-package@1.2
E
same others wanted "and what pip, npm and cargo installed"
like document "pkg:deb/debian/bash@[^?]*[?]arch=[a-z0-9]*&distro=debian-" "package URLs have the distribution"

jq .predicate said/provenance.json >provenance
is "$(jq -r .predicateType said/provenance.json)" https://slsa.dev/provenance/v1 "provenance is SLSA 1"
is "$(jq -r '.buildDefinition.resolvedDependencies | length' provenance)" 1 "the base image is a dependency"
is "$(jq -r '.buildDefinition.resolvedDependencies[0].digest.sha256' provenance)" \
  "$(skopeo inspect --raw "oci:$DEBIAN_LAYOUT:latest" | sha256sum | cut -d ' ' -f 1)" "with its digest"
is "$(jq '[.buildDefinition.buildType, .runDetails.builder.id, .runDetails.metadata.startedOn] | all(length > 0)' provenance)" true \
  "with what must be there"
unlike provenance hidden "mode=min has no build arguments"

# The layout: an image, and two artifacts that name it.
is "$(jq -r '[.manifests[] | .annotations["org.opencontainers.image.ref.name"] // "none"] | join(" ")' layout/index.json)" \
  "app none none" "artifacts have no name"
for i in 1 2; do
  digest=$(jq -r ".manifests[$i].digest" layout/index.json)
  jq . "layout/blobs/sha256/${digest#sha256:}" >artifact$i
  is "$(jq -r .subject.digest artifact$i)" "$image" "artifact $i is about the image"
  blob=$(jq -r '.layers[0].digest' artifact$i)
  is "sha256:$(sha256sum "layout/blobs/sha256/${blob#sha256:}" | cut -d ' ' -f 1)" "$blob" "its statement is there"
done
is "$(jq -r .artifactType artifact1)" application/vnd.in-toto+json "artifacts say what they are"
is "$(jq -r '[.manifests[1, 2].artifactType] | unique[]' layout/index.json)" application/vnd.in-toto+json "and so does the layout"
nacre --store "$T/loaded" load -i layout
is "$(cat out)" "Loaded image: app" "nacre load takes the image out of it"
check "skopeo reads the image as before" skopeo inspect "oci:$T/layout:app"

cp $spdx before
builds "again" --build-context "$base" --attest type=sbom --attest-dir said --build-arg SECRET=hidden -t app context
same $spdx before "the same image has the same SBOM"
builds "mode=max" --build-context "$base" --attest type=provenance,mode=max --attest-dir said --build-arg SECRET=hidden -t app context
like said/provenance.json '"build-arg:SECRET":"hidden"' "has build arguments"

# Alpine's way, for two platforms, without anything running.
cat >context/apk/lib/apk/db/installed <<'E'
C:Q1abc=
P:musl
V:1.2.5-r0
A:x86_64
L:MIT
F:lib
R:ld-musl-x86_64.so.1

P:busybox
V:1.36.1-r29
A:x86_64
L:GPL-2.0-only
E
printf 'NAME="Alpine Linux"\nID=alpine\nVERSION_ID=3.20.0\n' >context/apk/etc/os-release
printf 'FROM scratch\nCOPY apk /\n' >context/alpine
builds "an apk database, for two platforms" --platform linux/amd64,linux/arm64 --sbom true --attest-dir two -f context/alpine context
is "$(jq -r ".predicate | $purls" two/linux_arm64/sbom.spdx.json | paste -sd ' ')" \
  "pkg:apk/alpine/busybox@1.36.1-r29?arch=x86_64&distro=alpine-3.20.0 pkg:apk/alpine/musl@1.2.5-r0?arch=x86_64&distro=alpine-3.20.0" \
  "is read"
isnt "$(jq -r '.subject[0].digest.sha256' two/linux_arm64/sbom.spdx.json)" \
  "$(jq -r '.subject[0].digest.sha256' two/linux_amd64/sbom.spdx.json)" "each platform has its own"
printf 'FROM scratch\nCOPY empty /\n' >context/nothing

mkdir context/go
cp "$(command -v skopeo)" context/go/tool
cp context/go/tool context/go/text
chmod 755 context/go/tool
chmod 644 context/go/text
printf 'FROM scratch\nCOPY go /\n' >context/programs
builds "a program of Go" --sbom true --attest-dir go -f context/programs context
version=$(strings context/go/tool | grep -m 1 -x 'go1\.[0-9.]*')
is "$(jq -r '.predicate.packages[] | select(.name == "stdlib") | .versionInfo + " " + .sourceInfo' go/sbom.spdx.json)" \
  "${version#go} acquired package info from /tool" "says of which version of Go it is"

# rpm's way: headers of their own in rows of a database, which is one with a write-ahead log, and a key among them.
cat >rpmdb.py <<'E'
import os, sqlite3, struct, sys

def header(**tags):
    numbers = {"name": 1000, "version": 1001, "release": 1002, "epoch": 1003, "vendor": 1011, "license": 1014, "arch": 1022}
    index = data = b""
    for tag, value in tags.items():
        if isinstance(value, int):
            data += bytes(-len(data) % 4)
        index += struct.pack(">IIII", numbers[tag], 4 if isinstance(value, int) else 6, len(data), 1)
        data += struct.pack(">I", value) if isinstance(value, int) else value.encode() + b"\0"
    return struct.pack(">II", len(index) // 16, len(data)) + index + data

rows = [
    header(name="bash", version="5.2.26", release="3.fc40", vendor="Fedora Project", license="GPL-3.0-or-later", arch="x86_64"),
    header(name="gpg-pubkey", version="a15b79cc", release="63d04c2c"),
    header(name="perl-Carp", version="1.54", release="502.fc40", epoch=2, license="GPL+ or Artistic", arch="noarch"),
    header(name="libstdc++", version="14.0~rc1", release="1", arch="x86_64"),
    b"no header",
]
kind, path = sys.argv[1:]
os.makedirs(os.path.dirname(path))
db = sqlite3.connect(path)
db.execute("PRAGMA journal_mode = WAL")
table = "Hidden" if kind == "view" else "Packages"
db.execute("CREATE TABLE " + table + " (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL)")
if kind == "view":
    db.execute("CREATE VIEW Packages AS SELECT * FROM Hidden")
db.executemany("INSERT INTO " + table + " (blob) VALUES (?)", [(row,) for row in rows * (100 if kind == "cut" else 1)])
db.commit()
db.close()
if kind == "cut":
    os.truncate(path, os.path.getsize(path) // 2)
E
mkdir -p context/rpm/etc context/old/var/lib/rpm
printf 'ID=fedora\nVERSION_ID=40\n' >context/rpm/etc/os-release
python3 rpmdb.py rpm context/rpm/usr/lib/sysimage/rpm/rpmdb.sqlite
python3 rpmdb.py view context/view/var/lib/rpm/rpmdb.sqlite
python3 rpmdb.py cut context/cut/var/lib/rpm/rpmdb.sqlite
echo Berkeley >context/old/var/lib/rpm/Packages
for kind in rpm view cut old; do
  printf 'FROM scratch\nCOPY %s /\n' $kind >context/$kind.file
  builds "an rpm database: $kind" --sbom true --attest-dir $kind -f context/$kind.file context
  jq -r ".predicate | $purls" $kind/sbom.spdx.json >$kind.purls
  cp err $kind.err
done
cat >wanted <<'E'
pkg:rpm/fedora/bash@5.2.26-3.fc40?arch=x86_64&distro=fedora-40
pkg:rpm/fedora/libstdc%2B%2B@14.0~rc1-1?arch=x86_64&distro=fedora-40
pkg:rpm/fedora/perl-Carp@1.54-502.fc40?arch=noarch&distro=fedora-40&epoch=2
E
same rpm.purls wanted "is read"
is "$(jq -r '.predicate.packages[] | select(.name == "bash", .name == "perl-Carp") |
  [.versionInfo, .licenseComments, .supplier // "none"] | join(" ")' rpm/sbom.spdx.json | paste -sd ' ')" \
  "5.2.26-3.fc40 declared as: GPL-3.0-or-later Organization: Fedora Project 2:1.54-502.fc40 declared as: GPL+ or Artistic none" \
  "with what it says"
unlike rpm/sbom.spdx.json 'not read' "and that is all of it"
for kind in view cut old; do
  is "$(cat $kind.purls)" "" "nothing is taken from: $kind"
  like $kind/sbom.spdx.json 'rpm database that was not read' "the document says so"
done
like view.err 'warning: the SBOM lacks packages of rpm: .*prohibited' "a view is not followed"
like cut.err 'warning: the SBOM lacks packages of rpm: /var/lib/rpm/rpmdb.sqlite cannot be read: .*malformed' "a broken one is warned of"
mkdir without
: >without/libsqlite3.so.0
export LD_LIBRARY_PATH="$T/without"
builds "without libsqlite3" --sbom true --attest-dir without -f context/rpm.file context
unset LD_LIBRARY_PATH
like err 'warning: the SBOM lacks packages of rpm: libsqlite3.so.0 is not installed' "there is a warning"
like without/sbom.spdx.json 'rpm database that was not read' "and the document says so"

# A registry that knows no referrers: they are listed under a tag, with what others put there.
start_registry
builds "pushed with the image" --platform linux/amd64,linux/arm64 --sbom true --provenance true --push -t "$REGISTRY/team/app:1" \
  -f context/alpine context
skopeo inspect --raw --tls-verify=false "docker://$REGISTRY/team/app:1" >raw
is "$(jq -r '[.manifests[].platform | .os + "/" + .architecture] | join(" ")' raw)" "linux/amd64 linux/arm64" "the index has the images only"
image=$(jq -r '.manifests[1].digest' raw)
referrers=docker://$REGISTRY/team/app:sha256-${image#sha256:}
skopeo inspect --raw --tls-verify=false "$referrers" >list
is "$(jq -c '[.mediaType, (.manifests[] | [.mediaType, .artifactType])]' list)" \
  '["application/vnd.oci.image.index.v1+json",["application/vnd.oci.image.manifest.v1+json","application/vnd.in-toto+json"],["application/vnd.oci.image.manifest.v1+json","application/vnd.in-toto+json"]]' \
  "what refers to an image is under the tag of its digest"
for i in 0 1; do
  curl -fsS -H 'Accept: application/vnd.oci.image.manifest.v1+json' -o artifact \
    "http://$REGISTRY/v2/team/app/manifests/$(jq -r ".manifests[$i].digest" list)"
  is "$(jq -r .subject.digest artifact)" "$image" "artifact $i names it"
  curl -fsS -o statement "http://$REGISTRY/v2/team/app/blobs/$(jq -r '.layers[0].digest' artifact)"
  is "$(jq -r '[.subject[0].digest.sha256, .predicateType] | join(" ")' statement)" \
    "${image#sha256:} $(jq -r '.layers[0].annotations["in-toto.io/predicate-type"]' artifact)" "and its statement is there"
done
is "$(curl -fsS "http://$REGISTRY/v2/team/app/tags/list" | jq -c '[.tags[] | select(startswith("sha256-") | not)]')" '["1"]' \
  "there is no other tag"
jq -c '.annotations = {"by": "another"} | .manifests |= [.[0] + {"annotations": {"kept": "yes"}}]' list >changed
curl -fsS -X PUT -H 'Content-Type: application/vnd.oci.image.index.v1+json' --data-binary @changed \
  "http://$REGISTRY/v2/team/app/manifests/sha256-${image#sha256:}"
builds "pushed again" --platform linux/arm64 --sbom true --attest type=provenance,mode=max --push -t "$REGISTRY/team/app:1" \
  -f context/alpine context
skopeo inspect --raw --tls-verify=false "$referrers" >list
is "$(jq -c '[.annotations.by, (.manifests[] | .annotations.kept)]' list)" '["another","yes",null]' "what was in the list stays, and is there once"
refused 2 'another form' "beside another form of the image" build --sbom true -f context/alpine \
  -o "type=registry,name=$REGISTRY/team/app:3,compression=gzip,force-compression=true" context

builds "an image without packages" --sbom true --attest-dir none -f context/nothing context
is "$(jq '.predicate.packages | length' none/sbom.spdx.json)" 1 "has a document nevertheless"

refused 2 'no place' "nowhere to write to" build --sbom true context
refused 2 'type=provenance' "another type" build --attest type=sbam --attest-dir said context
refused 2 'mode=' "another mode" build --provenance mode=most --attest-dir said context
builds "false is as without" --sbom false --provenance false -f context/nothing context
done_testing
