/* SPDX-License-Identifier: Apache-2.0 */
/* Which salusd this is. The build sets SALUS_VERSION from the project. */
#ifndef NODE_VERSION_H
#define NODE_VERSION_H

#ifndef SALUS_VERSION
#define SALUS_VERSION "0.1.0"
#endif

#define NODE_VERSION SALUS_VERSION

#endif /* NODE_VERSION_H */
