/* Which packages a file of a package manager names, and their URLs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "src/build/sbom_priv.h"

static const struct { enum sbom_source source; const char *text, *urls; } files[] = {
	{ SBOM_DPKG, "Package: a\nStatus: install ok installed\nVersion: 1:2-3\nArchitecture: amd64\n\n",
	  "pkg:deb/debian/a@1:2-3?arch=amd64" },
	{ SBOM_DPKG, "Package: a\nStatus: hold ok installed\nVersion: 1", "pkg:deb/debian/a@1" },
	{ SBOM_DPKG, "Package: a\nStatus: install ok half-installed\nVersion: 1\n", "" },
	{ SBOM_DPKG, "Package: a\nStatus: deinstall ok config-files\nVersion: 1\n\nPackage: b\nStatus: install ok installed\n"
		     "Version: 2\n", "pkg:deb/debian/b@2" },
	{ SBOM_DPKG, "Package: a\nVersion: 1\n", "" },
	{ SBOM_DPKG, "Package: a\nStatus: install ok installed\nDescription: x\n Version: 7\nVersion: 1\n",
	  "pkg:deb/debian/a@1" },
	{ SBOM_DPKG, "package: a\nStatus: install ok installed\nVersion: 1\n", "" },
	{ SBOM_DPKG_PART, "Package: g++\nVersion: 1~rc1+x\n", "pkg:deb/debian/g%2B%2B@1~rc1%2Bx" },
	{ SBOM_APK, "P:musl\nV:1.2.5-r0\nA:x86_64\n\nP:b\nV:2\n",
	  "pkg:apk/alpine/musl@1.2.5-r0?arch=x86_64 pkg:apk/alpine/b@2" },
	{ SBOM_APK, "p:so:x=1\nV:2\n", "" },
	{ SBOM_PYTHON, "Name: Some_Pkg\r\nVERSION: 1.0 \r\n\r\nName: prose\nVersion: 1\n", "pkg:pypi/some-pkg@1.0" },
	{ SBOM_PYTHON, "\nName: a\nVersion: 1\n", "" },
	{ SBOM_NPM, "{\"name\":\"@S/t\",\"version\":\"1\"}", "pkg:npm/%40s/t@1" },
	{ SBOM_NPM, "{\"name\":\"a/b\",\"version\":\"1\"}", "pkg:npm/a%2Fb@1" },
	{ SBOM_NPM, "{\"name\":\"a\"}", "" },
	{ SBOM_NPM, "{\"name\":\"a\",\"version\":\"\"}", "" },
	{ SBOM_NPM, "[1", "" },
	{ SBOM_CARGO, "version = 3\n[[package]]\nname = \"Serde\"\nversion = \"1\"\n[metadata]\n", "pkg:cargo/Serde@1" },
	{ SBOM_CARGO, "[[package]]\nname = \"a\nversion = \"1\"\n", "" },
	{ SBOM_CARGO, "", "" },
	{ SBOM_GO, "go\tgo1.22.1 X:loopvar\npath\texample.com/c\nmod\texample.com/C\tv1.0.0+incompatible\th1:x=\n"
		   "dep\tgolang.org/x/sys\tv0.1.0\th1:y=\nbuild\t-compiler=gc\n",
	  "pkg:golang/stdlib@1.22.1 pkg:golang/example.com/c@v1.0.0%2Bincompatible pkg:golang/golang.org/x/sys@v0.1.0" },
	{ SBOM_GO, "go\tdevel go1.23-abc\nmod\ta\t(devel)\t\ndep\tb/c\tv1\th1:x=\n=>\td/e\tv2\th1:y=\ndep\tf\tv3\n",
	  "pkg:golang/d/e@v2 pkg:golang/f@v3" },
	{ SBOM_GO, "dep\n=>\ndep\ta\n=>\t../here\t\n", "" },
};

static void packages_of_files(void **state)
{
	static const struct sbom none;
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		struct sbom_packages l = { 0 };
		struct str urls = { 0 };
		struct err e;
		assert_int_equal(sbom_parse(files[i].source, "f", files[i].text, strlen(files[i].text), &l, &e), 0);
		for (size_t k = 0; k < l.n; k++) {
			char *url = sbom_purl(&none, &l.v[k]);
			str_addf(&urls, "%s%s", k ? " " : "", url);
			free(url);
		}
		if (strcmp(str_text(&urls), files[i].urls) != 0)
			fail_msg("file %zu: %s, not %s", i, str_text(&urls), files[i].urls);
		str_fini(&urls);
		sbom_packages_fini(&l);
	}
}

static void license_and_system(void **state)
{
	static const char npm[] = "{\"name\":\"a\",\"version\":\"1\",\"license\":{\"type\":\"MIT\"}}";
	static const char release[] = "NAME=\"X\"\nID='alpine'\nVERSION_ID=3.20.0\nID=other\n";
	struct sbom s = { 0 };
	struct err e;
	(void)state;
	assert_int_equal(sbom_parse(SBOM_NPM, "f", npm, strlen(npm), &s.packages, &e), 0);
	assert_string_equal(s.packages.v[0].license, "MIT");
	assert_int_equal(sbom_parse(SBOM_APK, "f", "P:a\nV:1\nA:x\n", 12, &s.packages, &e), 0);
	sbom_parse_release(release, strlen(release), &s.system, &s.system_version);
	char *url = sbom_purl(&s, &s.packages.v[1]);
	assert_string_equal(url, "pkg:apk/alpine/a@1?arch=x&distro=alpine-3.20.0");
	free(url);
	sbom_fini(&s);
}

static void limits(void **state)
{
	struct sbom_packages l = { 0 };
	struct str text = { 0 };
	struct err e;
	(void)state;
	for (unsigned i = 0; i < LIMIT_SBOM_PACKAGES - 1; i++)
		str_add(&text, "P:a\nV:1\n\n");
	assert_int_equal(sbom_parse(SBOM_APK, "f", text.buf, text.len, &l, &e), 0);
	assert_int_equal(sbom_parse(SBOM_APK, "f", "P:a\nV:1\n", 8, &l, &e), 0);
	assert_int_equal(l.n, LIMIT_SBOM_PACKAGES);
	assert_int_equal(sbom_parse(SBOM_APK, "f", "P:a\nV:1\n", 8, &l, &e), -1);
	assert_int_equal(e.kind, ERR_LIMIT);
	sbom_packages_fini(&l);
	str_clear(&text);
	str_add(&text, "V:1\nP:");
	for (unsigned i = 0; i < LIMIT_SBOM_VALUE + 1; i++)
		str_addc(&text, 'x');
	assert_int_equal(sbom_parse(SBOM_APK, "f", text.buf, text.len - 2, &l, &e), 0);
	assert_int_equal(sbom_parse(SBOM_APK, "f", text.buf, text.len - 1, &l, &e), 0);
	assert_int_equal(sbom_parse(SBOM_APK, "f", text.buf, text.len, &l, &e), 0);
	assert_int_equal(strlen(l.v[0].name), LIMIT_SBOM_VALUE - 1);
	assert_int_equal(strlen(l.v[1].name), LIMIT_SBOM_VALUE);
	assert_int_equal(strlen(l.v[2].name), LIMIT_SBOM_VALUE);
	sbom_packages_fini(&l);
	str_fini(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packages_of_files),
		cmocka_unit_test(license_and_system),
		cmocka_unit_test(limits),
	};
	return cmocka_run_group_tests_name("build/sbom_parse", tests, NULL, NULL);
}
