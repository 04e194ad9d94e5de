/* What names a piece of evidence. */
#ifndef DF_EVIDENCE_EVIDENCE_HASH_H
#define DF_EVIDENCE_EVIDENCE_HASH_H
#include "base/hash.h"
#include "base/status.h"
#include "evidence/evidence.h"

/* XXH3-128 of all that the evidence says: alt-text, sizes, tags, boxes with their looks, lines,
 * looks. Numbers count to six decimals. out of memory: DF_NOMEM. */
df_status df_evidence_hash(const df_evidence *e, char hex[DF_HASH_HEX], df_error *err);
#endif
