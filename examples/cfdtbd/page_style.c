/* SPDX-License-Identifier: Apache-2.0 */
/* Styles. Colours of series keep a contrast of 3:1 to the paper, and are told apart with any kind of colour vision (after
 * the palette of Okabe and Ito); dashes and marks tell them apart without. No rule needs anything from elsewhere. */
#include "page_figure.h"

static const char light[] = "--paper:#ffffff;--panel:#ffffff;--ink:#1b1f24;--soft:#57606a;--rule:#d4d8dd;--grid:#e8eaed;"
                            "--c0:#0868ac;--c1:#c2410c;--c2:#00795c;--c3:#8e44ad;--c4:#6b7280;--c5:#9a6700;--c6:#0e8496;"
                            "--c7:#a61e4d;--c8:#6b7280;--tint:#f4f6f8";
static const char dark[] = "--paper:#14171b;--panel:#14171b;--ink:#e6e9ed;--soft:#a3abb5;--rule:#3a414a;--grid:#292f36;"
                           "--c0:#5eb0ef;--c1:#ff8f57;--c2:#3ecf9f;--c3:#cf9cf0;--c4:#a3abb5;--c5:#e3b341;--c6:#56c8da;"
                           "--c7:#f58fb0;--c8:#a3abb5;--tint:#1c2127";

void style_palette(FILE *f)
{
    fprintf(f, ":root{color-scheme:light dark;%s}\n", light);
    fprintf(f, "@media screen and (prefers-color-scheme:dark){:root{%s}}\n", dark);
}

void style_charts(FILE *f)
{
    static const char *const dashes[SERIES] = {"none", "7 3", "2 3", "9 3 2 3", "12 4", "4 2", "1 2", "6 2 1 2 1 2"};
    fputs("svg{font-family:system-ui,-apple-system,\"Segoe UI\",\"Noto Sans\",\"DejaVu Sans\",sans-serif;font-size:11.5px}\n"
          "svg text{fill:var(--ink);font-variant-numeric:tabular-nums}\n"
          "svg .tick,svg .unit,svg .note{fill:var(--soft)}\n"
          "svg .small{font-size:9.5px}\n"
          "svg .halo{paint-order:stroke;stroke:var(--paper);stroke-width:3px}\n"
          "svg .title{font-size:13px;font-weight:600}\n"
          ".paper{fill:var(--paper)}\n"
          ".grid{stroke:var(--grid);fill:none}\n"
          ".zero,.axis{stroke:var(--soft);fill:none}\n"
          ".frame{fill:none;stroke:var(--rule)}\n"
          ".best{stroke:var(--soft);stroke-dasharray:2 3;fill:none}\n"
          ".leader{stroke:var(--rule);fill:none}\n"
          ".line{fill:none;stroke-width:1.8;stroke-linejoin:round}\n"
          ".band{opacity:.14;stroke:none}\n"
          ".mark{stroke-width:1.5}\n"
          ".mark.hollow{fill:var(--paper)}\n"
          ".hint{fill:transparent;stroke:none}\n"
          ".yardstick{fill:none;stroke:var(--soft);stroke-width:1.2}\n"
          ".dots{stroke-width:2.8;stroke-linecap:round;fill:none;opacity:.75}\n"
          ".crosses{stroke-width:1;fill:none;opacity:.85}\n"
          ".key{opacity:1}\n"
          ".dots.key{stroke-width:6}\n"
          ".crosses.key{stroke-width:1.6}\n"
          ".join{stroke:var(--ink);stroke-width:.8;opacity:.6;fill:none}\n",
          f);
    for (int i = 0; i <= SERIES; i++) {
        fprintf(f,
                ".line.c%d,.mark.c%d,.dots.c%d,.crosses.c%d{stroke:var(--c%d)}.mark.solid.c%d,.bar.c%d,.band.c%d{fill:var(--"
                "c%d)}\n",
                i, i, i, i, i, i, i, i, i);
    }
    for (int i = 0; i < SERIES; i++) {
        fprintf(f, ".d%d{stroke-dasharray:%s}", i, dashes[i]);
    }
    fputs("\n", f);
}

void style_page(FILE *f)
{
    fputs("*{box-sizing:border-box}\n"
          "body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,-apple-system,\"Segoe UI\",\"Noto "
          "Sans\","
          "\"DejaVu Sans\",sans-serif;-webkit-text-size-adjust:100%}\n"
          "main{max-width:1160px;margin:0 auto;padding:32px 20px 64px}\n"
          "h1{font-size:28px;line-height:1.2;margin:0 0 6px;font-weight:650;overflow-wrap:anywhere}\n"
          "h2{font-size:20px;line-height:1.3;margin:48px 0 4px;padding-top:14px;border-top:1px solid "
          "var(--rule);font-weight:650}\n"
          "h3{font-size:14px;margin:0 0 4px;font-weight:600}\n"
          "p{margin:0 0 12px;max-width:72ch}\n"
          ".lead{color:var(--soft);overflow-wrap:anywhere}\n"
          ".summary{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,340px),1fr));gap:24px "
          "40px;margin-top:24px;align-items:start}\n"
          "dl{display:grid;grid-template-columns:max-content 1fr;gap:6px 16px;margin:0;font-size:14.5px}\n"
          "dt{color:var(--soft)}\n"
          "dd{margin:0;overflow-wrap:anywhere;font-variant-numeric:tabular-nums}\n"
          ".scroll{overflow-x:auto}\n"
          "table{border-collapse:collapse;font-size:14.5px;font-variant-numeric:tabular-nums}\n"
          "caption{text-align:left;color:var(--soft);padding-bottom:6px}\n"
          "th,td{padding:4px 0 4px 32px;text-align:right;border-bottom:1px solid var(--grid);vertical-align:top}\n"
          "th{font-weight:600}\n"
          "th:first-child{padding-left:0}th:first-child,td.text{text-align:left}\n"
          "tbody th{font-weight:400}\n"
          "tr.first th,tr.first td{border-top:1px solid var(--soft)}\n"
          "td.best{font-weight:650;text-decoration:none}\n"
          "td.text{overflow-wrap:anywhere;max-width:26ch}\n"
          "figure{margin:12px 0 28px}\n"
          "figcaption{max-width:80ch;margin:0 0 14px;color:var(--soft);font-size:14.5px}\n"
          ".panels{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,340px),1fr));gap:24px 24px}\n"
          ".panels svg{display:block;width:100%;height:auto;max-width:520px}\n"
          ".missing{color:var(--soft);border-left:3px solid var(--rule);padding:2px 0 2px 12px}\n"
          ".runs{list-style:none;margin:16px 0 0;padding:0;font-size:14.5px}\n"
          ".runs li{display:flex;gap:10px;align-items:baseline;margin:4px 0;overflow-wrap:anywhere}\n"
          ".runs svg{flex:none;align-self:center}\n"
          ".runs b{min-width:1ch}\n"
          ".runs span{min-width:0}\n"
          ".settings{columns:3 300px;column-gap:40px;font-size:13.5px;margin-top:12px}\n"
          ".settings div{display:flex;justify-content:space-between;gap:12px;padding:3px 0;border-bottom:1px solid "
          "var(--grid);"
          "break-inside:avoid}\n"
          ".settings dt,.settings dd{overflow-wrap:anywhere}\n"
          ".settings dd{text-align:right}\n"
          "dl.settings{display:block}\n"
          "footer{margin-top:48px;padding-top:12px;border-top:1px solid var(--rule);color:var(--soft);font-size:13.5px}\n"
          "@media (max-width:560px){main{padding:20px 14px 40px}h1{font-size:24px}th,td{padding-left:18px}}\n"
          "@media print{\n"
          "@page{margin:14mm}\n"
          "body{font-size:10.5pt;-webkit-print-color-adjust:exact;print-color-adjust:exact}\n"
          "main{max-width:none;padding:0}\n"
          "h1{font-size:20pt}h2{font-size:14pt;margin-top:20pt;break-after:avoid}h3{break-after:avoid}\n"
          ".panels{grid-template-columns:repeat(2,1fr);gap:10pt}\n"
          "figure,figcaption,.panels>div,tr,dl div{break-inside:avoid}\n"
          "figcaption,table,.missing,dl{font-size:9.5pt}figcaption{break-after:avoid}\n"
          ".settings{columns:2;font-size:8.5pt}\n"
          ".scroll{overflow:visible}\n"
          ".hint{display:none}\n"
          "}\n",
          f);
}
