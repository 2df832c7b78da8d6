/* Parses WBXML documents of CSP 1.2 to libwbxml's tree, as fast as it can, and prints for each
 * file the nanoseconds of processor time that one parse takes. No XML is made of the tree.
 *
 *   cc -O2 -o libwbxml_parse libwbxml_parse.c $(pkg-config --cflags --libs libwbxml2)
 *   ./libwbxml_parse MILLISECONDS FILE...
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <wbxml/wbxml.h>

/* The library exports its tree, but its header files leave it out. */
typedef struct WBXMLTree_s WBXMLTree;
extern WBXMLError wbxml_tree_from_wbxml(WB_UTINY *octets, WB_ULONG length, WBXMLLanguage language,
                                        int charset, WBXMLTree **tree);
extern void wbxml_tree_destroy(WBXMLTree *tree);

/* MIBenum. */
#define UTF_8 106

/* Processor time, so that what else runs on the machine does not count. */
static double now(void)
{
    struct timespec at;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &at);
    return at.tv_sec * 1e9 + at.tv_nsec;
}

static void parse(unsigned char *octets, size_t length, const char *name)
{
    WBXMLTree *tree = NULL;
    WBXMLError error = wbxml_tree_from_wbxml(octets, length, WBXML_LANG_WV_CSP12,
                                             UTF_8, &tree);

    if (error != WBXML_OK) {
        fprintf(stderr, "%s: %s\n", name, (const char *) wbxml_errors_string(error));
        exit(1);
    }
    wbxml_tree_destroy(tree);
}

int main(int count, char **arguments)
{
    double wanted;
    int at;

    if (count < 3) {
        fprintf(stderr, "usage: %s MILLISECONDS FILE...\n", arguments[0]);
        return 2;
    }
    wanted = atof(arguments[1]) * 1e6;
    for (at = 2; at < count; at++) {
        static unsigned char octets[1 << 20];
        FILE *file = fopen(arguments[at], "rb");
        size_t length;
        double begin, spent;
        long runs = 0;

        if (file == NULL) {
            perror(arguments[at]);
            return 1;
        }
        length = fread(octets, 1, sizeof octets, file);
        fclose(file);
        begin = now();
        do {
            int run;

            for (run = 0; run < 64; run++)
                parse(octets, length, arguments[at]);
            runs += 64;
            spent = now() - begin;
        } while (spent < wanted);
        printf("%.1f\n", spent / runs);
    }
    return 0;
}
