/* Levelled lines on stderr. Nothing below build/ prints but log_debug; a fallback that swallows an error logs it there.
 */
#ifndef NACRE_BASE_LOG_H
#define NACRE_BASE_LOG_H

#include <stdbool.h>

bool log_is_debug(void);
void log_set_debug(bool on); /* also switched on by NACRE_DEBUG=1 in the environment, see main.c */
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));  /* "nacre: warning: …" */
void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2))); /* "nacre: error: …" */

#endif
