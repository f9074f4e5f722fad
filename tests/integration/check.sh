#!/bin/sh
# Build checks: each of the 22 rules is found at its line and can be turned off; --check and --call.
. "$(dirname "$0")/../lib/common.sh"
need jq

mkdir context
echo kept >context/kept
echo dropped >context/dropped
echo dropped >context/.dockerignore

# check ID RULE LINE TEXT [OPTION…]: a Dockerfile (printf's format) that breaks this rule and no other, at this line
check() {
  id=$1 rule=$2 line=$3 text=$4
  shift 4
  # shellcheck disable=SC2059
  printf "$text" >context/Dockerfile
  nacre build --call=check,format=json "$@" context
  is "$status" 1 "$rule: exit status [$id]"
  is "$(jq -r '.warnings[] | "\(.ruleName):\(.location.ranges[0].start.line)"' out)" "$rule:$line" "$rule: rule and line [$id]"
  nacre build --check --build-arg "BUILDKIT_DOCKERFILE_CHECK=skip=$rule" "$@" context
  is "$status $(tail -n 1 out)" "0 Check complete, no warnings found." "$rule: skipped [$id]"
}

check LINT-02 StageNameCasing 1 'FROM scratch AS Base\n'
check LINT-03 FromAsCasing 1 'FROM scratch as base\n'
check LINT-04 NoEmptyContinuation 2 'FROM scratch\nLABEL a=b \\\n\n  c=d\n'
check LINT-05 ConsistentInstructionCasing 2 'FROM scratch\nlabel a=b\nLABEL c=d\n'
check LINT-06 DuplicateStageName 2 'FROM scratch AS a\nFROM scratch AS a\n'
check LINT-07 ReservedStageName 1 'FROM scratch AS context\n'
check LINT-08 JSONArgsRecommended 2 'FROM scratch\nCMD run\n'
check LINT-09 MaintainerDeprecated 2 'FROM scratch\nMAINTAINER me\n'
check LINT-10 UndefinedArgInFrom 2 'ARG BASE=scratch\nFROM scratch$BSE\n'
check LINT-11 WorkdirRelativePath 2 'FROM scratch\nWORKDIR app\nWORKDIR lib\n'
check LINT-12 UndefinedVar 3 'FROM scratch\nARG DECLARED\nLABEL a=$PAHT b=$DECLARED c=$PATH\n'
check LINT-13 MultipleInstructionsDisallowed 2 'FROM scratch\nCMD ["a"]\nCMD ["b"]\n'
check LINT-14 LegacyKeyValueFormat 2 'FROM scratch\nENV a b\n'
check LINT-16 RedundantTargetPlatform 1 'FROM --platform=$TARGETPLATFORM scratch\n'
check LINT-17 SecretsUsedInArgOrEnv 2 'FROM scratch\nARG API_TOKEN\n'
check LINT-18 InvalidDefaultArgInFrom 2 'ARG BASE\nFROM $BASE\n' --build-arg BASE=scratch
check LINT-19 FromPlatformFlagConstDisallowed 1 'FROM --platform=linux/amd64 scratch\n'
check LINT-20 CopyIgnoredFile 2 'FROM scratch\nCOPY dropped kept /\n'
check LINT-22 ExposeProtoCasing 2 'FROM scratch\nEXPOSE 80/TCP\n'
check LINT-23 ExposeInvalidFormat 2 'FROM scratch\nEXPOSE 127.0.0.1:80:8080\n'

# Only on request
printf 'FROM scratch\n# what it is\nARG NAME=x\n' >context/Dockerfile
nacre build --check context
is "$status" 0 "InvalidDefinitionDescription: off [LINT-21]"
nacre build --call=check,format=json --build-arg BUILDKIT_DOCKERFILE_CHECK=experimental=all context
is "$(jq -r '.warnings[] | "\(.ruleName):\(.location.ranges[0].start.line)"' out)" InvalidDefinitionDescription:3 \
  "InvalidDefinitionDescription: on [LINT-21]"

# An image of another platform, made here
case $(uname -m) in
aarch64) other=linux/amd64 ;;
*) other=linux/arm64 ;;
esac
printf 'FROM scratch\nCOPY kept /\nSHELL ["/bin/odd"]\nENV FROM_BASE=1\nONBUILD ENV FIRED=1\n' >context/Dockerfile
builds "a base for $other" --platform $other -t foreign context
check LINT-15 InvalidBaseImagePlatform 1 'FROM foreign\nLABEL a=$FROM_BASE b=$FIRED\nCMD its shell\n'

# ---- what is known decides

printf 'FROM 127.0.0.1:1/nowhere\nLABEL a=$MAYBE\n' >context/Dockerfile
nacre build --check context
is "$status" 0 "nothing is undefined above a base image that is not to be had"
printf 'FROM scratch AS a\nENV X=1\nARG Y\nWORKDIR /a\nFROM a\nLABEL x=$X y=$Y\nWORKDIR b\n' >context/Dockerfile
nacre build --check context
is "$status" 0 "a stage inherits variables and the working directory"
printf 'FROM scratch AS unused\nLABEL a=$NONE\nFROM scratch\n' >context/Dockerfile
nacre build --check context
is "$status" 0 "stages that are not needed are left alone"
nacre build --check --target unused context
is "$status" 1 "and looked at when they are"
printf 'FROM scratch\n# check=skip=UndefinedVar\nLABEL a=$A\nLABEL b=$B\n' >context/Dockerfile
nacre build --check context
like out '^Dockerfile:4' "a rule turned off above one instruction [DIR-10]"
like out '1 warning found' "is off there alone [DIR-10]"

# ---- during a build

printf 'FROM scratch\nENV NAME=1\nLABEL a=$NAM\n' >context/Dockerfile
builds "warnings do not fail a build [LINT-01]" context
like err 'WARNING: UndefinedVar: .*NAM.*did you mean \$NAME.*\(Dockerfile:3\)' "with the rule, a suggestion and the line"
nacre build --build-arg BUILDKIT_DOCKERFILE_CHECK=error=true context
is "$status" 3 "error=true makes them [LINT-01]"
like err '>>> LABEL' "the excerpt"
printf '# check=skip=all\nFROM scratch\nLABEL a=$NAM\n' >context/Dockerfile
builds "skip=all" context
is "$(grep -c WARNING err)" 0 "no warnings"

# ---- other forms

printf 'FROM scratch\nMAINTAINER me\n' >context/Dockerfile
nacre build --call check,format=sarif context
is "$(jq -r '.version, .runs[0].results[0].ruleId, .runs[0].results[0].locations[0].physicalLocation.region.startLine' out)" \
  "$(printf '2.1.0\nMaintainerDeprecated\n2')" "SARIF [LINT-01]"
cat >context/Dockerfile <<'END'
# VERSION of what is packed
ARG VERSION=1
FROM scratch AS base
# WORD to say
ARG WORD=hello
# app with everything
FROM base AS app
ARG VERSION
RUN --mount=type=secret,id=key,required --mount=type=ssh --mount=type=cache,id=objects,target=/cache make
FROM app AS tests
END
nacre build --call=outline,format=json --target app context
is "$(jq -c '[.name, .description, [.args[] | [.name, .value, .description]], .secrets[0].name, .secrets[0].required,
  .ssh[0].name, .cache[0].ID]' out)" \
  '["app","with everything",[["WORD","hello","to say"],["VERSION","1","of what is packed"]],"key",true,"default","objects"]' \
  "outline, with what comments tell [LINT-24, DIR-11]"
nacre build --call=outline --build-arg WORD=bye context
like out '^WORD +bye +to say$' "outline as text [LINT-24]"
nacre build --call=targets,format=json context
is "$(jq -c '[.targets[] | [.name, .default, .description, .base]]' out)" \
  '[["base",null,null,"scratch"],["app",null,"with everything","base"],["tests",true,null,"app"]]' "targets, with what comments tell [LINT-24, DIR-11]"
nacre build --call=targets context
like out '^tests +\(default\)$' "targets as text [LINT-24]"
refused 2 'sideways' "an unknown method" build --call=sideways context
refused 2 'did you mean outline' "a misspelt method" build --call=outlien context
refused 2 'yaml' "an unknown format" build --call=check,format=yaml context
refused 2 'sarif' "SARIF is for check" build --call=targets,format=sarif context
refused 2 'exclude' "--check and another method" build --check --call=targets context

done_testing
