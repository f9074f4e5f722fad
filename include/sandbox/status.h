/* A wait(2) status for a human. */
#ifndef NACRE_SANDBOX_STATUS_H
#define NACRE_SANDBOX_STATUS_H

/* Exit status or signal in words: "exit code: 3", "killed by signal SIGKILL". The caller owns it. */
char *status_in_words(int wait_status);

#endif
