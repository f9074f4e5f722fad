/* RUN --mount: SEMANTICS section 11. */
#include "table.h"

#include "dockerfile/expand.h"
#include "dockerfile/mount.h"

static const struct {
	const char *in, *want; /* as `show` writes it, or the words of the error */
} rows[] = {
	/* MNT-01, MNT-04, MNT-06: types and defaults */
	{ "target=/t", "bind target=/t ro" },
	{ "type=bind,dst=/t,src=/s,from=a", "bind target=/t source=/s from=a ro" },
	{ "type=bind,destination=/t,rw", "bind target=/t" },
	{ "TYPE=Bind,Target=/T", "bind target=/T ro" },
	{ "type=cache,target=/c", "cache target=/c" },
	{ "type=cache,target=/c,ro", "cache target=/c ro" },
	{ "type=cache,target=/c,id=x,sharing=locked,mode=0700,uid=1000,gid=50",
	  "cache target=/c id=x sharing=2 mode=700 uid=1000 gid=50" },
	{ "type=cache,sharing=Private", "cache sharing=1" },
	{ "type=tmpfs,target=/t", "tmpfs target=/t" },
	{ "type=secret,id=s", "secret id=s ro" },
	{ "type=secret,source=s,env=E", "secret source=s env=E ro" },
	{ "type=secret,target=/t,required", "secret target=/t ro required" },
	{ "type=secret,id=s,required=false", "secret id=s ro" },
	{ "type=ssh", "ssh ro" },
	{ "type=ssh,id=a,required=true,mode=600", "ssh id=a ro required mode=600" },
	{ "type=bind", "bind ro" },
	/* booleans as Go reads them */
	{ "target=/t,readonly=0", "bind target=/t" },
	{ "target=/t,readwrite=TRUE", "bind target=/t" },
	{ "target=/t,rw=f", "bind target=/t ro" },
	{ "target=/t,rw,ro", "bind target=/t ro" },
	{ "target=/t,rw=perhaps", "invalid value for rw: perhaps" },
	{ "target=/t,ro=", "invalid value for ro" },
	/* MNT-01: one CSV record */
	{ "type=tmpfs,\"target=/with,comma\"", "tmpfs target=/with,comma" },
	{ "\"target=/a\\\"\"b\"", "bind target=/a\"b ro" },
	{ "\"target=/a\"\"b\"", "a double quote is not closed" }, /* the expansion finds a quote, too */
	{ "target=/a=b", "bind target=/a=b ro" },
	{ "target=/t,", "invalid field '' must be a key=value pair" },
	{ "", "invalid field ''" },
	{ "target=/t,\"x", "a quoted field is not closed" },
	{ "target=\"/t\"", "a quote must begin its field" },
	{ "\"target=/t\"x", "a closing quote must end its field" },
	/* MNT-02: read from left to right */
	{ "required,type=secret,id=s", "unexpected key 'required' for mount type 'bind'" },
	{ "size=1m,type=tmpfs", "unexpected key 'size' for mount type 'bind'" },
	/* MNT-04 */
	{ "type=bind,taget=/t", "unexpected key 'taget' in 'taget=/t'; did you mean target?" },
	{ "type=bnid", "unsupported mount type \"bnid\"; did you mean bind?" },
	{ "type=volume", "unsupported mount type \"volume\"" },
	{ "type=cache,sharing=sometimes", "unsupported sharing value \"sometimes\"" },
	{ "target", "invalid field 'target' must be a key=value pair" },
	{ "type=cache,mode=9", "invalid value for mode: 9" },
	{ "type=cache,uid=-1", "invalid value for uid: -1" },
	{ "type=cache,gid=4294967296", "invalid value for gid" },
	{ "type=cache,uid=4294967295", "cache uid=4294967295" },
	/* MNT-05, EXP-08 */
	{ "from=$X,target=/t", "'from' doesn't support variable expansion" },
	{ "from=${X},target=/t", "'from' doesn't support variable expansion" },
	{ "from=a$,target=/t", "bind target=/t from=a$ ro" },
	/* EXP-07: every other value is expanded */
	{ "type=$T,target=/$X/${NOPE:-d},id=$X", "cache target=/val/d id=val" },
	{ "target=\\$X", "bind target=$X ro" },
	{ "target=${X", "missing '}'" },
	{ "target=$NOPE", "bind ro" },
	/* MNT-07 */
	{ "type=bind,target=/t,mode=700", "mode not allowed for \"bind\" type mounts" },
	{ "type=tmpfs,target=/t,uid=1", "uid not allowed for \"tmpfs\" type mounts" },
	{ "type=bind,gid=1", "gid not allowed for \"bind\" type mounts" },
	{ "type=bind,sharing=shared", "sharing not allowed for \"bind\" type mounts" },
	{ "type=secret,id=a,sharing=shared", "sharing not allowed" },
	{ "type=bind,target=/t,size=1m", "unexpected key 'size' for mount type 'bind'" },
	{ "type=cache,required", "unexpected key 'required' for mount type 'cache'" },
	{ "type=cache,env=A", "env not allowed for \"cache\" type mounts" },
	/* MNT-15: sizes */
	{ "type=tmpfs,size=64", "tmpfs size=64" },
	{ "type=tmpfs,size=64k", "tmpfs size=65536" },
	{ "type=tmpfs,size=1.5m", "tmpfs size=1572864" },
	{ "type=tmpfs,size=2GB", "tmpfs size=2147483648" },
	{ "type=tmpfs,size=1KiB", "tmpfs size=1024" },
	{ "type=tmpfs,size=1 kb", "tmpfs size=1024" },
	{ "type=tmpfs,size=7b", "tmpfs size=7" },
	{ "type=tmpfs,size=m", "invalid value for size: m" },
	{ "type=tmpfs,size=-1", "invalid value for size" },
	{ "type=tmpfs,size=1x", "invalid value for size" },
	{ "type=tmpfs,size=1kx", "invalid value for size" },
	{ "type=tmpfs,size=1.2.3", "invalid value for size" },
	{ "type=tmpfs,size=999999999p", "invalid value for size" },
	{ "type=tmpfs,size=0x10", "invalid value for size" },
	/* MNT-16, MNT-18 */
	{ "type=secret", "invalid secret mount" },
	{ "type=secret,id=a,source=b", "both source and id can't be set" },
	{ "type=secret,id=a,from=b", "secret mount should not have a from" },
	{ "type=ssh,source=a", "source not allowed for \"ssh\" type mounts" },
};

static void show(struct str *out, const struct df_mount *m)
{
	static const char *const types[] = { "bind", "cache", "tmpfs", "secret", "ssh" };
	const char *const texts[][2] = { { "target", m->target }, { "source", m->source }, { "from", m->from },
		{ "id", m->id },
		{ "env", m->env } };
	str_add(out, types[m->type]);
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (texts[i][1])
			str_addf(out, " %s=%s", texts[i][0], texts[i][1]);
	if (m->sharing)
		str_addf(out, " sharing=%d", (int)m->sharing);
	str_add(out, m->readonly ? " ro" : "");
	str_add(out, m->required ? " required" : "");
	if (m->has_mode)
		str_addf(out, " mode=%o", m->mode);
	if (m->has_uid)
		str_addf(out, " uid=%u", m->uid);
	if (m->has_gid)
		str_addf(out, " gid=%u", m->gid);
	if (m->size)
		str_addf(out, " size=%llu", (unsigned long long)m->size);
}

static void test_values(void **state)
{
	struct strv env = { 0 };
	strv_push(&env, "X=val");
	strv_push(&env, "T=cache");
	struct df_scope scope = { .env = &env, .escape = '\\' };
	int wrong = 0;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO(df_mount_fini) struct df_mount m = { 0 };
		AUTO(str_fini) struct str got = { 0 };
		struct err e = { 0 };
		bool failed = df_mount_parse(rows[i].in, &scope, &m, &e) != 0;
		if (failed)
			str_add(&got, e.msg);
		else
			show(&got, &m);
		row_check(wrong, failed ? strstr(e.msg, rows[i].want) != NULL : str_eq(str_text(&got), rows[i].want),
			"%s\n  want %s\n  got  %s", rows[i].in, rows[i].want, str_text(&got));
	}
	strv_fini(&env);
	assert_int_equal(wrong, 0);
}

/* Without a scope the values may still be variables: only the record's form and `from` are looked at. */
static void test_no_scope(void **state)
{
	static const struct {
		const char *in;
		bool ok;
	} values[] = {
		{ "type=$T,target=$D,mode=$M", true }, { "bogus=1", true }, { "from=a", true }, { "from=$a", false },
		{ "\"a", false },
	};
	for (size_t i = 0; i < ARRAY_LEN(values); i++) {
		AUTO(df_mount_fini) struct df_mount m = { 0 };
		struct err e = { 0 };
		assert_int_equal(df_mount_parse(values[i].in, NULL, &m, &e), values[i].ok ? 0 : -1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_values), cmocka_unit_test(test_no_scope) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
