/*
 * Limits on everything that comes from outside, in one table. Each is tested at limit-1, limit and limit+1.
 * Bytes unless the name says otherwise.
 */
#ifndef NACRE_BASE_LIMITS_H
#define NACRE_BASE_LIMITS_H

#define LIMIT_DOCKERFILE      (1u << 20)
#define LIMIT_LINE            65535u        /* a physical line of a Dockerfile (LEX-02) */
#define LIMIT_STAGES          1000u
#define LIMIT_INSTRUCTIONS    10000u
#define LIMIT_IGNORE_FILE     (1u << 20)
#define LIMIT_IGNORE_PATTERNS 10000u
#define LIMIT_VALUE           (128u << 10)  /* one ARG or ENV value after expansion */
#define LIMIT_MANIFEST        (4u << 20)    /* manifest or index */
#define LIMIT_CONFIG          (16u << 20)
#define LIMIT_JSON_DEPTH      64u
#define LIMIT_JSON_VALUES     (1u << 20)    /* in one document; each takes 56 bytes of memory, however small its text */
#define LIMIT_LAYERS          512u
#define LIMIT_INDEX_ENTRIES   1000u
#define LIMIT_INDEX_DEPTH     2u
#define LIMIT_PLATFORMS       32u           /* of one build */
#define LIMIT_ARCHIVE_FILES   10000u        /* files in an archive of images */
#define LIMIT_ARCHIVE_PATH    512u          /* of one of them */
#define LIMIT_HEADER_BLOCK    (64u << 10)   /* HTTP headers of one answer */
#define LIMIT_REALM_URL       2048u
#define LIMIT_TOKEN_ANSWER    (1u << 20)
#define LIMIT_PAX_RECORD      (1u << 20)
#define LIMIT_PAX_ENTRY       (4u << 20)
#define LIMIT_XATTRS          128u          /* per file */
#define LIMIT_XATTR_VALUE     (64u << 10)
#define LIMIT_TAR_PATH        (64u << 10)
#define LIMIT_NAME            255u
#define LIMIT_LINK_TARGET     4095u
#define LIMIT_PASSWD          (10u << 20)   /* /etc/passwd and /etc/group of an image */
#define LIMIT_ZSTD_WINDOW_LOG 27            /* 128 MiB */
#define LIMIT_LAYER_BYTES     (64ull << 30) /* one layer, decompressed */
#define LIMIT_TREE_NODES      (2u << 20)    /* files of one image or context */
#define LIMIT_REDIRECTS       10u
#define LIMIT_SYMLINKS        40u
#define LIMIT_STORE_JSON      (16u << 20)   /* a record of our own store */
#define LIMIT_CACHE_RECORDS   (256u << 20)  /* records of one import of the cache, together */
#define LIMIT_SHARE_RECORDS   4000u         /* steps of a shared cache, and listings: its manifest stays below LIMIT_MANIFEST */
#define LIMIT_SHARE_BYTES     (16u << 20)   /* its records, as a document */
#define LIMIT_SHARE_LISTING   (64u << 20)   /* a listing that comes with it */
#define LIMIT_SBOM_PACKAGES   100000u       /* of one image */
#define LIMIT_SBOM_FILE       (32u << 20)   /* a file that names packages; a larger one is passed over */
#define LIMIT_SBOM_PROGRAM    (512u << 20)  /* a program that may have a list of modules; the same */
#define LIMIT_SBOM_VALUE      4096u         /* a name, version or license in it; cut there */
#define LIMIT_LISTING         (512u << 20)  /* what a layer holds, as text (oci/listing.h) */

#endif
