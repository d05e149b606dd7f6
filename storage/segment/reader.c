// SPDX-License-Identifier: Apache-2.0
// Open segments: checks the chain of checksums from the catalog's record down to each page, and
// decodes pages into the caller's memory.
#include "base/hash.h"
#include "base/log.h"
#include "storage/segment/segment_internal.h"

#include <stdatomic.h>
#include <stdlib.h>

struct pz_segment {
    _Atomic uint32_t references;
    _Atomic bool is_doomed; // unlink with the last reference
    char *path;
    struct pz_file file;
    struct pz_page_cache *cache; // may be NULL
    uint64_t owner;              // in the cache
    struct pz_segment_info info;
    struct pz__footer footer;
};

// ---- opening -----------------------------------------------------------------------------------

// What opening needs for a while.
struct opening {
    struct pz_codec_work *work;
    uint8_t *footer; // its bytes
    struct pz__trailer trailer;
};

static enum pz_status
read_trailer(struct pz_segment *segment, struct opening *opening, struct pz_error *err)
{
    uint64_t size;
    uint8_t bytes[PZ__SEGMENT_TRAILER_BYTES];
    PZ_TRY(pz_file_size(&segment->file, &size, segment->path, err));
    if (size < PZ__SEGMENT_HEADER_BYTES + PZ__SEGMENT_TRAILER_BYTES) {
        return pz_fail(err, PZ_CORRUPT, "the file has only %llu bytes", (unsigned long long)size);
    }
    PZ_TRY(pz_file_pread(&segment->file, bytes, sizeof(bytes), size - sizeof(bytes), segment->path,
                         err));
    PZ_TRY(pz__trailer_decode(bytes, size, &opening->trailer, err));
    segment->info.file_bytes = size;
    segment->info.footer_checksum = opening->trailer.footer_checksum;
    return PZ_OK;
}

static enum pz_status
read_footer(struct pz_segment *segment, struct opening *opening, struct pz_error *err)
{
    const struct pz__trailer *trailer = &opening->trailer;
    size_t len = (size_t)trailer->footer_bytes;
    opening->footer = malloc(len + 1);
    if (opening->footer == NULL) {
        return pz_fail(err, PZ_NO_MEMORY, "no memory for a footer of %zu bytes", len);
    }
    PZ_TRY(pz_file_pread(&segment->file, opening->footer, len, trailer->footer_offset,
                         segment->path, err));
    uint64_t found = pz_hash_bytes(opening->footer, len);
    if (found != trailer->footer_checksum) {
        return pz_fail(err, PZ_CORRUPT,
                       "the footer's checksum is %016llx, the trailer says %016llx",
                       (unsigned long long)found, (unsigned long long)trailer->footer_checksum);
    }
    PZ_TRY(pz__footer_decode(opening->work, opening->footer, len, trailer->footer_offset,
                             &segment->footer, err));
    uint8_t header[PZ__SEGMENT_HEADER_BYTES];
    PZ_TRY(pz_file_pread(&segment->file, header, sizeof(header), 0, segment->path, err));
    PZ_TRY(pz__header_check(header, &segment->footer, err));
    if (trailer->segment_id != segment->footer.info.segment_id) {
        return pz_fail(err, PZ_CORRUPT, "trailer and footer disagree");
    }
    segment->info.segment_id = segment->footer.info.segment_id;
    segment->info.table_id = segment->footer.info.table_id;
    segment->info.row_count = segment->footer.info.row_count;
    segment->info.time_min = segment->footer.info.time_min;
    segment->info.time_max = segment->footer.info.time_max;
    return PZ_OK;
}

static enum pz_status
check_info(const struct pz_segment_info *found, const struct pz_segment_info *expected,
           struct pz_error *err)
{
    if (found->segment_id != expected->segment_id || found->table_id != expected->table_id) {
        return pz_fail(err, PZ_CORRUPT, "it is segment %llu of table %u, not %llu of table %u",
                       (unsigned long long)found->segment_id, found->table_id,
                       (unsigned long long)expected->segment_id, expected->table_id);
    }
    if (found->row_count != expected->row_count || found->file_bytes != expected->file_bytes ||
        found->time_min != expected->time_min || found->time_max != expected->time_max ||
        found->footer_checksum != expected->footer_checksum) {
        return pz_fail(err, PZ_CORRUPT,
                       "it has %llu rows in %llu bytes, the catalog says %llu in %llu, or other "
                       "times or another footer",
                       (unsigned long long)found->row_count, (unsigned long long)found->file_bytes,
                       (unsigned long long)expected->row_count,
                       (unsigned long long)expected->file_bytes);
    }
    return PZ_OK;
}

static enum pz_status
check_def(const struct pz__footer *footer, const struct pz_table_def *def, struct pz_error *err)
{
    if (footer->column_count != def->column_count || footer->time_column != def->time_column ||
        footer->info.table_id != def->id) {
        return pz_fail(err, PZ_CORRUPT, "it holds %u columns of table %u, not %u of table %u",
                       footer->column_count, footer->info.table_id, def->column_count, def->id);
    }
    for (uint32_t i = 0; i < def->column_count; i++) {
        const struct pz_column_def *found = &footer->columns[i];
        const struct pz_column_def *wanted = &def->columns[i];
        bool is_same_domain =
            wanted->type != PZ_TYPE_SYMBOL || found->domain_id == wanted->domain_id;
        if (found->type != wanted->type || !is_same_domain) {
            return pz_fail(err, PZ_CORRUPT, "column %u is %s of domain %u, not %s of domain %u", i,
                           pz_type_name(found->type), found->domain_id, pz_type_name(wanted->type),
                           wanted->domain_id);
        }
    }
    return PZ_OK;
}

static enum pz_status
open_file(struct pz_segment *segment, const struct pz_table_def *def,
          const struct pz_segment_info *expected, struct opening *opening, struct pz_error *err)
{
    opening->work = pz_codec_work_create();
    if (opening->work == NULL) {
        return pz_fail(err, PZ_NO_MEMORY, "no memory to open it");
    }
    PZ_TRY(pz_file_open(segment->path, PZ_FILE_READ, &segment->file, err));
    PZ_TRY(read_trailer(segment, opening, err));
    PZ_TRY(read_footer(segment, opening, err));
    if (expected != NULL) {
        PZ_TRY(check_info(&segment->info, expected, err));
    }
    return check_def(&segment->footer, def, err);
}

static void
segment_free(struct pz_segment *segment)
{
    struct pz_error err = {0};
    if (pz_file_close(&segment->file, segment->path, &err) != PZ_OK) {
        pz_log_error(&err, "closing a segment"); // it was only read: nothing is lost
    }
    pz__footer_fini(&segment->footer);
    free(segment->path);
    free(segment);
}

enum pz_status
pz_segment_open(const char *path, const struct pz_table_def *def,
                const struct pz_segment_info *expected, struct pz_page_cache *cache,
                struct pz_segment **segment_out, struct pz_error *err)
{
    *segment_out = NULL;
    struct pz_segment *segment = pz_xcalloc(1, sizeof(*segment));
    atomic_init(&segment->references, 1);
    atomic_init(&segment->is_doomed, false);
    segment->path = pz_xstrdup(path);
    segment->file.fd = -1;
    segment->cache = cache;
    segment->owner = cache != NULL ? pz__page_cache_new_owner(cache) : 0;
    struct opening opening = {0};
    struct pz_error inner = {0};
    enum pz_status status = open_file(segment, def, expected, &opening, &inner);
    free(opening.footer);
    pz_codec_work_destroy(opening.work);
    if (status != PZ_OK) {
        segment_free(segment);
        (void)pz_fail(err, status, "segment %s: %s", path, inner.message);
        if (err != NULL) {
            err->sys_errno = inner.sys_errno;
        }
        return status;
    }
    *segment_out = segment;
    return PZ_OK;
}

struct pz_segment *
pz_segment_acquire(struct pz_segment *segment)
{
    uint32_t before = atomic_fetch_add_explicit(&segment->references, 1, memory_order_relaxed);
    PZ_ASSERT(before > 0);
    return segment;
}

void
pz_segment_release(struct pz_segment *segment)
{
    if (segment == NULL) {
        return;
    }
    uint32_t before = atomic_fetch_sub_explicit(&segment->references, 1, memory_order_acq_rel);
    PZ_ASSERT(before > 0);
    if (before > 1) {
        return;
    }
    if (segment->cache != NULL) {
        pz__page_cache_forget(segment->cache, segment->owner);
    }
    if (atomic_load_explicit(&segment->is_doomed, memory_order_relaxed)) {
        struct pz_error err = {0};
        if (pz_file_unlink(segment->path, &err) != PZ_OK) {
            pz_log_error(&err, "a replaced segment stays as a file; it is an orphan at next start");
        }
    }
    segment_free(segment);
}

void
pz_segment_unlink_on_release(struct pz_segment *segment)
{
    atomic_store_explicit(&segment->is_doomed, true, memory_order_relaxed);
}

// ---- what is known without reading
// ---------------------------------------------------------------

const struct pz_segment_info *
pz_segment_info(const struct pz_segment *segment)
{
    return &segment->info;
}

const struct pz__footer *
pz__segment_footer(const struct pz_segment *segment)
{
    return &segment->footer;
}

uint32_t
pz_segment_block_count(const struct pz_segment *segment)
{
    return segment->footer.block_count;
}

uint32_t
pz_segment_block_rows(const struct pz_segment *segment, uint32_t block)
{
    PZ_ASSERT(block < segment->footer.block_count);
    return segment->footer.block_rows[block];
}

const struct pz_stats *
pz_segment_block_stats(const struct pz_segment *segment, uint32_t block, uint32_t column)
{
    const struct pz__footer *footer = &segment->footer;
    PZ_ASSERT(block < footer->block_count && column < footer->column_count);
    return &footer->block_stats[(size_t)column * footer->block_count + block];
}

const struct pz_day_run *
pz_segment_day_runs(const struct pz_segment *segment, uint32_t block, uint32_t *count_out)
{
    const struct pz__footer *footer = &segment->footer;
    PZ_ASSERT(block < footer->block_count);
    *count_out = footer->run_first[block + 1] - footer->run_first[block];
    return footer->runs + footer->run_first[block];
}

const struct pz_stats *
pz_segment_run_stats(const struct pz_segment *segment, uint32_t block, uint32_t run,
                     uint32_t column)
{
    const struct pz__footer *footer = &segment->footer;
    PZ_ASSERT(block < footer->block_count && column < footer->column_count);
    uint32_t idx = footer->run_first[block] + run;
    PZ_ASSERT(idx < footer->run_first[block + 1]);
    return &footer->run_stats[(size_t)column * footer->run_count + idx];
}

// ---- pages -------------------------------------------------------------------------------------

void
pz_page_scratch_fini(struct pz_page_scratch *scratch)
{
    free(scratch->data);
    free(scratch->valid);
    free(scratch->text);
    pz_codec_work_destroy(scratch->work);
    *scratch = (struct pz_page_scratch){0};
}

static enum pz_status
load_page(struct pz_segment *segment, const struct pz__page_ref *ref, struct pz_page *page,
          struct pz_error *err)
{
    PZ_TRY(pz_file_pread(&segment->file, page->bytes, page->len, ref->offset, segment->path, err));
    PZ_TRY(pz_codec_verify_page(page->bytes, page->len, err));
    if (pz_codec_page_checksum(page->bytes) != ref->checksum) {
        return pz_fail(err, PZ_CORRUPT, "it is another page than the footer names");
    }
    return PZ_OK;
}

// The page, pinned, from the cache or the file.
static enum pz_status
get_page(struct pz_segment *segment, size_t index, struct pz_page **page_out, struct pz_error *err)
{
    const struct pz__page_ref *ref = &segment->footer.pages[index];
    struct pz_page *page = NULL;
    if (segment->cache != NULL) {
        page = pz__page_cache_find(segment->cache, segment->owner, index);
    }
    if (page == NULL) {
        page = pz__page_create(segment->owner, index, (size_t)ref->bytes);
        if (page == NULL) {
            return pz_fail(err, PZ_NO_MEMORY, "no memory for a page of %llu bytes",
                           (unsigned long long)ref->bytes);
        }
        enum pz_status status = load_page(segment, ref, page, err);
        if (status != PZ_OK) {
            pz__page_unpin(NULL, page);
            return status;
        }
        if (segment->cache != NULL) {
            page = pz__page_cache_offer(segment->cache, page);
        }
    }
    *page_out = page;
    return PZ_OK;
}

static bool
scratch_reserve(struct pz_page_scratch *scratch, const struct pz_page_view *page)
{
    size_t data_bytes = page->row_count * pz_layout_size(page->layout);
    if (scratch->data_bytes < data_bytes) {
        free(scratch->data);
        data_bytes = (data_bytes + 63) / 64 * 64;
        scratch->data = aligned_alloc(64, data_bytes);
        scratch->data_bytes = scratch->data != NULL ? data_bytes : 0;
    }
    size_t words = page->null_count > 0 ? PZ_BIT_WORDS(page->row_count) : 0;
    if (scratch->valid_words < words) {
        free(scratch->valid);
        scratch->valid = malloc(words * sizeof(uint64_t));
        scratch->valid_words = scratch->valid != NULL ? words : 0;
    }
    if (scratch->text_bytes < page->text_bytes) {
        free(scratch->text);
        scratch->text = malloc((size_t)page->text_bytes);
        scratch->text_bytes = scratch->text != NULL ? (size_t)page->text_bytes : 0;
    }
    return scratch->data_bytes >= data_bytes && scratch->valid_words >= words &&
           scratch->text_bytes >= page->text_bytes;
}

static enum pz_status
decode_page(const struct pz_page *page, enum pz_layout layout, uint32_t row_count,
            struct pz_page_scratch *scratch, struct pz_slice *slice, struct pz_error *err)
{
    if (scratch->work == NULL) {
        scratch->work = pz_codec_work_create();
    }
    struct pz_page_view view;
    PZ_TRY(pz_codec_open_page(page->bytes, page->len, layout, row_count, &view, err));
    if (scratch->work == NULL || !scratch_reserve(scratch, &view)) {
        return pz_fail(err, PZ_NO_MEMORY, "no memory to decode it");
    }
    struct pz_page_target target = {
        .data = scratch->data, .valid = scratch->valid, .text = scratch->text};
    PZ_TRY(pz_codec_decode_page(scratch->work, &view, &target, err));
    slice->row_count = row_count;
    slice->valid = view.null_count > 0 ? scratch->valid : NULL;
    slice->data = scratch->data;
    return PZ_OK;
}

enum pz_status
pz_segment_read(struct pz_segment *segment, uint32_t block, uint32_t column,
                struct pz_page_scratch *scratch, struct pz_slice *slice_out, struct pz_error *err)
{
    const struct pz__footer *footer = &segment->footer;
    PZ_ASSERT(block < footer->block_count && column < footer->column_count);
    const struct pz_column_def *def = &footer->columns[column];
    struct pz_error inner = {0};
    struct pz_page *page = NULL;
    *slice_out = (struct pz_slice){.type = def->type};
    enum pz_status status =
        get_page(segment, (size_t)column * footer->block_count + block, &page, &inner);
    if (status == PZ_OK) {
        status = decode_page(page, pz_type_layout(def->type), footer->block_rows[block], scratch,
                             slice_out, &inner);
        pz__page_unpin(segment->cache, page);
    }
    if (status != PZ_OK) {
        (void)pz_fail(err, status, "segment %s, column %s, block %u: %s", segment->path, def->name,
                      block, inner.message);
        if (err != NULL) {
            err->sys_errno = inner.sys_errno;
        }
    }
    return status;
}
