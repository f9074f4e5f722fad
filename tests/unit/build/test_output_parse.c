/* -o and --annotation (OUT-01 to OUT-04). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "build/options.h"
#include "src/build/output_priv.h"

static const char *const kinds[] = {
	[OUTPUT_OCI] = "oci",	  [OUTPUT_DOCKER] = "docker",	  [OUTPUT_LOCAL] = "local",	 [OUTPUT_TAR] = "tar",
	[OUTPUT_IMAGE] = "image", [OUTPUT_REGISTRY] = "registry", [OUTPUT_NOTHING] = "cacheonly",
};

static void describe(const struct output *o, struct str *out)
{
	AUTO(free_drop) char *names = strv_join(&o->names, "+");
	const struct output_form *f = &o->form;
	str_addf(out, "%s %s %s", kinds[o->kind], o->dest ? o->dest : "-", names);
	if (o->unpacked)
		str_add(out, " unpacked");
	if (o->push)
		str_add(out, " push");
	if (o->split)
		str_add(out, " split");
	if (f->compressed)
		str_addf(out, " %d:%d%s", (int)f->format.how, f->format.level, f->all ? "!" : "");
	if (f->docker_types)
		str_add(out, " docker-types");
	if (f->clamped)
		str_add(out, " clamped");
	for (size_t i = 0; i < f->annotations.n; i++) {
		const struct annotation *a = &f->annotations.v[i];
		str_addf(out, " %d%s%s/%s=%s", (int)a->level, a->has_platform ? "@" : "",
			 a->has_platform ? a->platform.arch : "", a->key, a->value);
	}
}

/* What the last output comes to, or the error. */
static void parse(struct build_options *o, struct str *out)
{
	struct outputs l = { 0 };
	struct err e = { 0 };
	if (outputs_parse(o, &l, &e) < 0)
		str_add(out, e.msg);
	else if (l.n)
		describe(&l.v[l.n - 1], out);
	outputs_fini(&l);
}

static void words(void **state)
{
	static const struct { const char *text, *want; } rows[] = {
		{ "oci:dir", "oci dir latest unpacked" },
		{ "oci:a/b:v1", "oci a/b v1 unpacked" },
		{ "oci:dir:", "oci dir latest unpacked" },
		{ "oci-archive:f.tar", "oci f.tar t" },
		{ "oci-archive:f.tar:x:y", "oci f.tar x:y" },
		{ "docker-archive:f:app:1", "docker f app:1" },
		{ "docker://host/a", "registry - host/a" },
		{ "dir", "local dir " },
		{ "-", "tar - " },
		{ "type=tar", "tar - " },
		{ "type=tar,dest=-", "tar - " },
		{ "TYPE=tar,DEST=x", "tar x " },
		{ "dest=x,type=oci", "oci x t" },
		{ "type=oci,dest=x,tar=0", "oci x t unpacked" },
		{ "type=docker", "image - t" },
		{ "type=docker,dest=-", "docker - t" },
		{ "type=docker,dest=x,tar=false", "docker x t unpacked" },
		{ "type=image,name=a,push=true", "image - a push" },
		{ "type=registry,\"name=a,b:2\"", "registry - a+b:2" },
		{ "type=local,dest=\"x", "a quote must begin its field" },
		{ "\"type=local\",\"dest=x,y\"", "local x,y " },
		{ "type=local,dest=x,platform-split=true,mode=copy", "local x  split" },
		{ "type=oci,compression=gzip,compression-level=9,force-compression=true", "oci - t 1:9!" },
		{ "type=oci,compression=uncompressed", "oci - t 0:0" },
		{ "type=oci,oci-mediatypes=false", "oci - t 1:0! docker-types" },
		{ "type=oci,oci-mediatypes=false,compression=uncompressed", "oci - t 0:0 docker-types" },
		{ "type=docker,dest=x,rewrite-timestamp=true", "docker x t clamped" },
		{ "type=oci,annotation.a.B=c=d", "oci - t 0/a.B=c=d" },
		{ "type=oci,annotation-index[linux/arm64].a=", "oci - t 1@arm64/a=" },
		{ "type=oci,annotation[arm64].a=b", "oci - t 0@arm64/a=b" },
		{ "type=oci,annotation-manifest-descriptor.a=b", "oci - t 2/a=b" },
		{ "type=oci,annotation-index-descriptor.a=b", "oci - t 3/a=b" },
		{ "./oc:x", "local ./oc:x " },
		{ "C:x", "local C:x " },
		{ "docker-achive:app.tar", "did you mean docker-archive?" },
		{ "docker:x", "did you mean docker://NAME or docker-archive:FILE?" },
		{ "dir:x", "write ./dir:x" },
		{ "", "it is empty" },
		{ "oci:", "a path is missing" },
		{ "oci-archive::x", "a path is missing" },
		{ "docker://host/a@sha256:zz", "is not a digest" },
		{ "type=", "type= is not known" },
		{ "type=oci,annotation.=b", "annotation.KEY is wanted" },
		{ "type=oci,annotation-manifst.a=b", "did you mean manifest?" },
		{ "type=oci,annotation[linux.a=b", "lacks its ]" },
		{ "type=oci,annotations.a=b", "this type has no annotations.a" },
		{ "type=local,dest=x,annotation.a=b", "this type has no annotation.a" },
		{ "type=oci,compression-level=23", "a number from 0 to 22" },
		{ "type=oci,name=A", "name: " },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct build_options o = { 0 };
		AUTO(str_fini) struct str got = { 0 };
		strv_push(&o.tags, "t");
		strv_push(&o.outputs, rows[i].text);
		parse(&o, &got);
		if (!strstr(str_text(&got), rows[i].want))
			fail_msg("%s: got \"%s\", wanted \"%s\"", rows[i].text, str_text(&got), rows[i].want);
		strv_fini(&o.tags);
		strv_fini(&o.outputs);
	}
}

static void annotations(void **state)
{
	static const struct { const char *text, *want; } rows[] = {
		{ "a=b", "oci - t 0/a=b" },
		{ "a=b:c", "oci - t 0/a=b:c" },
		{ "index:a=b", "oci - t 1/a=b" },
		{ "manifest,index-descriptor:a=b", "oci - t 0/a=b 3/a=b" },
		{ "manifest[linux/arm64]:a=b", "oci - t 0@arm64/a=b" },
		{ "a", "KEY=VALUE is wanted" },
		{ "=b", "KEY=VALUE is wanted" },
		{ "index:=b", "KEY=VALUE is wanted" },
		{ "inde:a=b", "did you mean index?" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct build_options o = { 0 };
		AUTO(str_fini) struct str got = { 0 };
		strv_push(&o.tags, "t");
		strv_push(&o.outputs, "type=oci");
		strv_push(&o.annotations, rows[i].text);
		parse(&o, &got);
		if (!strstr(str_text(&got), rows[i].want))
			fail_msg("%s: got \"%s\", wanted \"%s\"", rows[i].text, str_text(&got), rows[i].want);
		strv_fini(&o.tags);
		strv_fini(&o.outputs);
		strv_fini(&o.annotations);
	}
}

/* --push without an output that is an image, and with one. */
static void push(void **state)
{
	struct build_options o = { .push = true };
	AUTO(str_fini) struct str alone = { 0 };
	AUTO(str_fini) struct str with = { 0 };
	(void)state;
	strv_push(&o.tags, "t");
	strv_push(&o.outputs, "type=oci");
	parse(&o, &alone);
	assert_string_equal(str_text(&alone), "registry - t");
	strv_push(&o.outputs, "type=image");
	parse(&o, &with);
	assert_string_equal(str_text(&with), "image - t push");
	strv_fini(&o.tags);
	strv_fini(&o.outputs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words),
		cmocka_unit_test(annotations),
		cmocka_unit_test(push),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
