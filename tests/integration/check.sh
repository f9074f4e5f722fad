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
check LINT-04 NoEmptyContinuation 4 'FROM scratch\nLABEL a=b \\\n\n  c=d\n'
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
printf '**\n' >context/.dockerignore
check LINT-20 CopyIgnoredFile 2 'FROM scratch\nCOPY . /\n'
echo dropped >context/.dockerignore
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
began=$(date +%s)
nacre build --check context
is "$status" 0 "nothing is undefined above a base image that is not to be had"
if [ $(($(date +%s) - began)) -lt 10 ]; then ok "which is asked for once"; else not_ok "it is asked for again and again"; fi
printf 'FROM scratch AS a\nENV X=1\nARG Y\nWORKDIR /a\nFROM a\nLABEL x=$X y=$Y\nWORKDIR b\n' >context/Dockerfile
nacre build --check context
is "$status" 0 "a stage inherits variables and the working directory"
printf 'FROM scratch AS unused\nLABEL a=$NONE\nCMD run\nFROM scratch AS last\n' >context/Dockerfile
nacre build --check context
like out '2 warnings found' "without a target all stages are checked [LINT-01]"
nacre build --check --target unused context
like out '2 warnings found' "with one those it needs [LINT-01]"
nacre build --check --target last context
is "$status" 0 "and no others [LINT-01]"
builds "a build looks at what it needs" context
is "$(grep -c WARNING err)" 0 "and warns of nothing else"
printf 'FROM scratch AS unused\nCOPY --chmod=x f /\nFROM scratch\n' >context/Dockerfile
nacre build --check context
is "$status" 3 "mistakes in any stage fail a check"
like err '^Dockerfile:2:6' "with their place"
builds "and no build that does not need it" context
printf '# check=skip=StageNameCasng,Nonsense\nFROM scratch\n# check=skip=MaintanerDeprecated\nLABEL a=b\n' >context/Dockerfile
nacre build --check context
is "$status $(tail -n 1 out)" "0 Check complete, no warnings found." "names of rules that do not exist are accepted [DIR-08]"
is "$(cat err)" 'Dockerfile:1: no check rule has the name "StageNameCasng"; did you mean StageNameCasing?
Dockerfile:1: no check rule has the name "Nonsense"
Dockerfile:3: no check rule has the name "MaintanerDeprecated"; did you mean MaintainerDeprecated?' "and named [DIR-08]"
nacre build --check --build-arg BUILDKIT_DOCKERFILE_CHECK=skip=Nothing context
like err '^--build-arg BUILDKIT_DOCKERFILE_CHECK: no check rule has the name "Nothing"$' "in the build argument, too [DIR-09]"
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

printf 'FROM scratch\n# \303\244\nLABEL \303\244=1 \\\n  c=$D e=$F\nENV API_KEY=x\nMAINTAINER me\n' >context/Dockerfile
nacre build --check context
is "$(sed -n 1,13p out)" "WARNING: UndefinedVar: a variable is used that nothing defines
the variable '\$D' is used but not defined
Dockerfile:4:5
--------------------
   1 |     FROM scratch
   2 |     # ä
   3 | >>> LABEL ä=1 \\
   4 | >>>   c=\$D e=\$F
     |         ^
   5 |     ENV API_KEY=x
   6 |     MAINTAINER me
--------------------" "text: rule, what it is about, what is wrong, where [LINT-01]"
like out '^Check complete, 4 warnings found\.$' "and how many [LINT-01]"
nacre build --call=check,format=json context
is "$(jq -c '.warnings[] | [.ruleName, .location.sourceIndex, (.location.ranges[] | .start.line, .start.character, .end.line, .end.character)]' out)" \
  '["UndefinedVar",0,4,4,4,6]
["UndefinedVar",0,4,9,4,11]
["SecretsUsedInArgOrEnv",0,5,4,5,13]
["MaintainerDeprecated",0,6,0,6,10]' "JSON: lines from 1, characters from 0 [LINT-01]"
is "$(jq -c '[.sources, .buildError, all(.warnings[]; (.description | length > 10) and (.detail | length > 10))]' out)" \
  '[[{"fileName":"Dockerfile","language":"Dockerfile"}],null,true]' "JSON: sources, no error, texts [LINT-01]"

# sarif FILTER: the answer is built as SARIF 2.1.0 wants it, and FILTER's result of its only run
sarif() {
  jq -e '(.version == "2.1.0") and (.["$schema"] | type == "string") and (.runs | length == 1) and
    (.runs[0].tool.driver.name == "nacre") and (.runs[0].columnKind == "unicodeCodePoints") and
    all(.runs[0].tool.driver.rules[]; (.id | type == "string") and (.shortDescription.text | length > 10)) and
    ([.runs[0].tool.driver.rules[].id] | length == (unique | length)) and
    (.runs[0] as $run | all(.runs[0].results[]; (.message.text | type == "string") and
      (.level == "warning" or .level == "error") and (.locations | length == 1) and
      (.locations[0].physicalLocation.artifactLocation.uri | type == "string") and
      (.locations[0].physicalLocation.region | [.startLine, .startColumn, .endLine, .endColumn] |
        all(.[]; type == "number" and . > 0)) and
      (.ruleId == null or $run.tool.driver.rules[.ruleIndex].id == .ruleId)))' out >/dev/null || return
  jq -c ".runs[0] | $1" out
}
region='.locations[0].physicalLocation.region | [.startLine, .startColumn, .endLine, .endColumn]'
nacre build --call check,format=sarif context
is "$(sarif "[.results[] | [.ruleId, .level, ($region)]]")" \
  '[["UndefinedVar","warning",[4,5,4,7]],["UndefinedVar","warning",[4,10,4,12]],["SecretsUsedInArgOrEnv","warning",[5,5,5,14]],["MaintainerDeprecated","warning",[6,1,6,11]]]' \
  "SARIF: columns from 1 [LINT-01]"
nacre build --call check,format=sarif --build-arg BUILDKIT_DOCKERFILE_CHECK=error=true context
is "$(sarif '[.results[].level] | unique')" '["error"]' "SARIF: error=true [LINT-01]"

# What is wrong stands beside the warnings
printf 'FROM scratch AS A\nSTOPSIGNAL x\n' >context/Dockerfile
nacre build --call=check,format=json context
is "$status" 4 "JSON: the exit status of the mistake"
is "$(jq -c '[[.warnings[].ruleName], .buildError.message, .buildError.location.ranges[0], (.buildError.errors | length)]' out)" \
  '[["StageNameCasing"],"invalid signal: x; it is a name such as SIGTERM or a number",{"start":{"line":2,"character":11},"end":{"line":2,"character":12}},1]' \
  "JSON: the mistake"
nacre build --call=check,format=sarif context
is "$(sarif "[.results[] | [.ruleId, .level, ($region)]]")" \
  '[["StageNameCasing","warning",[1,17,1,18]],[null,"error",[2,12,2,13]]]' "SARIF: the mistake"
printf 'FROM scratch\nCOPPY a b\nUSER\n' >context/Dockerfile
nacre build --call=check,format=json context
is "$status" 3 "JSON: of a file that cannot be read"
is "$(jq -c '[.warnings, .buildError.message, [.buildError.errors[] | [.message, .location.ranges[0].start.line]]]' out)" \
  '[[],"2 mistakes in Dockerfile",[["unknown instruction: COPPY; did you mean COPY?",2],["USER requires exactly one argument: a user, such as app or 1000:1000",3]]]' \
  "JSON: each mistake"
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
