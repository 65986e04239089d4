/* SPDX-License-Identifier: Apache-2.0 */
/* Between tls.c and tls_identity.c. */
#ifndef NET_TLS_PRIVATE_H
#define NET_TLS_PRIVATE_H

/* The certificate (mbedtls_x509_crt) that the engine's last `verified` call on
 * this thread saw; NULL if none. Asking forgets it. */
const void *tls_seen_certificate(void);

/* Remembers why a handshake or connection failed. */
void tls_note_problem(const char *what, int error);

#endif /* NET_TLS_PRIVATE_H */
