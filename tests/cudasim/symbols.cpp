/* SPDX-License-Identifier: Apache-2.0 */
/* Names for addresses of code, from the symbol tables of the loaded files: also of functions that are not exported. */
#include "checker.h"

#include <cxxabi.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <map>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace cudasim {

/* A segment of a loaded file. */
struct module_place {
    const char *address;
    size_t bytes; /* of the range that is looked for */
    bool code;    /* looked for: any segment; else one that cannot be written to */
    std::string file;
    uintptr_t base;
    bool found;
};

static int look_at(struct dl_phdr_info *info, size_t, void *data)
{
    module_place *m = (module_place *)data;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) &segment = info->dlpi_phdr[i];
        size_t offset = (uintptr_t)m->address - (info->dlpi_addr + segment.p_vaddr);
        bool constant = (segment.p_type == PT_LOAD && (segment.p_flags & PF_W) == 0) || segment.p_type == PT_GNU_RELRO;
        bool wanted = m->code ? segment.p_type == PT_LOAD : constant;
        if (wanted && offset < segment.p_memsz && m->bytes <= segment.p_memsz - offset) {
            m->base = info->dlpi_addr;
            m->file = info->dlpi_name[0] != '\0' ? info->dlpi_name : "/proc/self/exe";
            m->found = true;
            return 1;
        }
    }
    return 0;
}

static module_place find_module(const void *p, size_t bytes, bool code)
{
    module_place m = {(const char *)p, bytes, code, "", 0, false};
    dl_iterate_phdr(look_at, &m);
    return m;
}

bool is_program_data(const void *p, size_t bytes)
{
    return find_module(p, bytes, false).found;
}

typedef std::map<uintptr_t, std::string> symbol_table;

static void read_symbols(const char *file, size_t bytes, symbol_table *table)
{
    const ElfW(Ehdr) *header = (const ElfW(Ehdr) *)(const void *)file;
    if (bytes < sizeof *header || memcmp(header->e_ident, ELFMAG, SELFMAG) != 0) {
        return;
    }
    const ElfW(Shdr) *sections = (const ElfW(Shdr) *)(const void *)(file + header->e_shoff);
    for (int i = 0; i < header->e_shnum; i++) {
        if (sections[i].sh_type != SHT_SYMTAB) {
            continue;
        }
        const ElfW(Sym) *symbols = (const ElfW(Sym) *)(const void *)(file + sections[i].sh_offset);
        const char *names = file + sections[sections[i].sh_link].sh_offset;
        for (size_t s = 0; s < sections[i].sh_size / sizeof *symbols; s++) {
            if ((symbols[s].st_info & 15) == STT_FUNC && symbols[s].st_value != 0) {
                (*table)[symbols[s].st_value] = names + symbols[s].st_name;
            }
        }
    }
}

static const symbol_table &symbols_of(const std::string &file)
{
    static std::map<std::string, symbol_table> &tables = *new std::map<std::string, symbol_table>;
    auto known = tables.find(file);
    if (known != tables.end()) {
        return known->second;
    }
    symbol_table &table = tables[file];
    int fd = open(file.c_str(), O_RDONLY | O_CLOEXEC);
    struct stat status;
    if (fd >= 0 && fstat(fd, &status) == 0) {
        void *p = mmap(nullptr, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (p != MAP_FAILED) {
            read_symbols((const char *)p, (size_t)status.st_size, &table);
            munmap(p, (size_t)status.st_size);
        }
    }
    if (fd >= 0) {
        close(fd);
    }
    return table;
}

std::string function_name(const void *address)
{
    module_place m = find_module(address, 1, true);
    if (!m.found) {
        return "";
    }
    const symbol_table &table = symbols_of(m.file);
    auto it = table.upper_bound((uintptr_t)address - m.base);
    if (it == table.begin()) {
        return "";
    }
    --it;
    int status = 0;
    char *plain = abi::__cxa_demangle(it->second.c_str(), nullptr, nullptr, &status);
    std::string name = status == 0 ? plain : it->second;
    free(plain);
    return name;
}

/* By addr2line where there is one: only a fault asks. */
std::string code_place(const void *pc)
{
    const char *call = (const char *)pc - 1;
    module_place m = find_module(call, 1, true);
    if (!m.found) {
        return "";
    }
    char file[4096];
    ssize_t n = readlink(m.file.c_str(), file, sizeof file - 1);
    std::string path = n > 0 ? std::string(file, (size_t)n) : m.file, line;
    std::string command = text("addr2line -e '%s' %#zx 2>/dev/null", path.c_str(), (size_t)call - m.base);
    FILE *pipe = popen(command.c_str(), "r");
    if (pipe != nullptr) {
        if (fgets(file, sizeof file, pipe) != nullptr && file[0] != '?') {
            line.assign(file, strcspn(file, " \n"));
        }
        pclose(pipe);
    }
    std::string function = function_name(call);
    return line.empty() ? text("%s (%s+%#zx)", function.c_str(), path.c_str(), (size_t)call - m.base)
                        : line + " (" + function + ")";
}

} /* namespace cudasim */
