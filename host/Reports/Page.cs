namespace Merge.Reports;

/// <summary>An HTML file that needs nothing else: its style, its few lines of script, and no network.</summary>
internal static class Page
{
    // The policy makes it certain that nothing is fetched, whatever a name or a message contains.
    private static readonly Markup Head = Markup.Of($"""
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:">
        <meta name="color-scheme" content="light dark">
        <link rel="icon" href="data:,">
        """);

    private static readonly Markup Style = Markup.Of($$"""
        <style>
        :root { color-scheme: light dark; --paper: #fff; --ink: #1b1f24; --soft: #57606a; --rule: #d0d7de; --faint: #eaeef2;
          --grey: #6e7781; --blue: #0072b2; --orange: #d55e00; --green: #00805d; --purple: #a5487f;
          --cell-blue: #56b4e9; --cell-orange: #f0a030; --alert: #fff4e0; }
        @media screen and (prefers-color-scheme: dark) {
          :root { --paper: #14181d; --ink: #e6e9ec; --soft: #a3adb8; --rule: #3b444e; --faint: #252c34;
            --grey: #98a2ad; --blue: #56b4e9; --orange: #f0914a; --green: #35c9a0; --purple: #e39cc6;
            --cell-blue: #0072b2; --cell-orange: #b34d00; --alert: #33270f; } }
        * { box-sizing: border-box; }
        body { margin: 0 auto; padding: 1.5rem 1rem 4rem; max-width: 48rem; background: var(--paper); color: var(--ink);
          font: 1rem/1.5 system-ui, "Segoe UI", "Helvetica Neue", Arial, sans-serif; overflow-wrap: anywhere; }
        h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .5rem; }
        h2 { font-size: 1.2rem; margin: 2.5rem 0 .5rem; padding-top: .6rem; border-top: 1px solid var(--rule); }
        h3 { font-size: 1rem; margin: 1.8rem 0 .3rem; }
        p { margin: .5rem 0; }
        a { color: var(--blue); }
        dl.facts { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; margin: 1rem 0; }
        dl.facts dt { color: var(--soft); } dl.facts dd { margin: 0; min-width: 0; }
        .alert { background: var(--alert); border-left: 4px solid var(--orange); padding: .5rem .8rem; margin: 1rem 0; }
        .alert ul { margin: 0; padding-left: 1.1rem; }
        pre { background: var(--faint); padding: .7rem .9rem; margin: .6rem 0; white-space: pre-wrap;
          font: .85rem/1.45 ui-monospace, "DejaVu Sans Mono", Consolas, monospace; }
        figure { margin: 1rem 0 1.5rem; }
        figcaption { color: var(--soft); font-size: .9rem; }
        .wide { overflow-x: auto; max-width: 100%; }
        .wide:focus-visible { outline: 2px solid var(--blue); }
        figure svg[role] { display: block; width: 100%; min-width: 34rem; height: auto; }
        svg text { font: 12.5px system-ui, "Segoe UI", "Helvetica Neue", Arial, sans-serif; fill: var(--ink); }
        svg .numbers text { font-size: 10.5px; }
        .blue { --tone: var(--blue); } .orange { --tone: var(--orange); } .green { --tone: var(--green); }
        .purple { --tone: var(--purple); } .grey { --tone: var(--grey); }
        .mark { fill: var(--tone); stroke: var(--paper); stroke-width: .6; }
        .line { fill: none; stroke: var(--tone); stroke-width: 1.8; }
        .cell { fill: var(--tone); } .cell.blue { --tone: var(--cell-blue); } .cell.orange { --tone: var(--cell-orange); }
        .grid { stroke: var(--faint); fill: none; } .axis { stroke: var(--soft); fill: none; }
        .dash0 { stroke-dasharray: 7 4; } .dash1 { stroke-dasharray: 2 3; } .dash2 { stroke-dasharray: 9 3 2 3; } .dash3 { stroke-dasharray: 14 4; }
        ul.key { list-style: none; display: flex; flex-wrap: wrap; gap: .1rem 1.2rem; margin: .3rem 0; padding: 0; font-size: .9rem; }
        ul.key svg { vertical-align: -2px; margin-right: .4rem; }
        table { border-collapse: collapse; font-size: .88rem; font-variant-numeric: tabular-nums; overflow-wrap: normal; }
        th, td { padding: .2rem .45rem; text-align: right; border-bottom: 1px solid var(--faint); white-space: nowrap; }
        th:first-child, td.text, th.text { text-align: left; } td.text { white-space: normal; min-width: 14rem; overflow-wrap: anywhere; }
        tbody th { font-weight: 400; } thead th { border-bottom: 1px solid var(--soft); vertical-align: bottom; }
        tr.best { font-weight: 700; }
        th button { font: inherit; font-weight: 700; color: inherit; background: none; border: 0; padding: 0; cursor: pointer; }
        th button::after { content: " ↕"; color: var(--soft); }
        th[aria-sort=ascending] button::after { content: " ↑"; } th[aria-sort=descending] button::after { content: " ↓"; }
        summary { cursor: pointer; color: var(--soft); font-size: .9rem; }
        td svg { display: block; } td svg path { stroke: var(--blue); stroke-width: 1.6; fill: none; }
        @media print {
          @page { margin: 18mm 16mm; }
          html { font-size: 10pt; }
          .sortable tbody tr:nth-child(n+31) { display: none; }
          body { max-width: none; padding: 0; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
          figure, pre, tr { break-inside: avoid; } h2, h3 { break-after: avoid; } details { display: none; }
          figure svg[role] { min-width: 0; max-width: 150mm; } .wide { overflow: visible; } th button::after { content: none !important; }
        }
        </style>
        """);

    // Rows move; without script they stay in the order they are written in.
    private static readonly Markup Sorting = Markup.Of($$"""
        <script>
        for (const table of document.querySelectorAll("table.sortable")) {
          const heads = [...table.tHead.rows[0].cells], body = table.tBodies[0];
          heads.forEach((head, column) => {
            const button = document.createElement("button");
            button.type = "button";
            button.append(...head.childNodes);
            head.append(button);
            button.addEventListener("click", () => {
              const up = head.getAttribute("aria-sort") === "descending";
              heads.forEach(h => h.removeAttribute("aria-sort"));
              head.setAttribute("aria-sort", up ? "ascending" : "descending");
              const key = row => { const cell = row.cells[column], n = cell.dataset.value; return n === undefined ? cell.textContent : n === "" ? NaN : Number(n); };
              const last = value => Number.isNaN(value);
              const order = (a, b) => last(a) || last(b) ? last(a) - last(b) : (a < b ? -1 : a > b ? 1 : 0) * (up ? 1 : -1);
              body.append(...[...body.rows].map(row => [key(row), row]).sort((a, b) => order(a[0], b[0])).map(pair => pair[1]));
            });
          });
        }
        </script>
        """);

    public static string Of(string title, Markup body) => Markup.Of($"""
        <!doctype html>
        <html lang="en">
        <head>
        {Head}
        <title>{title}</title>
        {Style}
        </head>
        <body>
        {body}
        {Sorting}
        </body>
        </html>

        """).ToString();

    /// <summary>A section, or nothing where it has no content.</summary>
    public static Markup Section(string id, string title, params ReadOnlySpan<Markup> content)
    {
        Markup[] known = [.. content.ToArray().Where(c => c.ToString().Length > 0)];
        return known.Length == 0
            ? Markup.Empty
            : Markup.Of($"<section id=\"{id}\"><h2>{title}</h2>\n{Markup.Lines(known)}\n</section>");
    }

    public static Markup Paragraph(string text) =>
        text.Length == 0 ? Markup.Empty : Markup.Of($"<p>{text}</p>");

    public static Markup Alert(IReadOnlyList<string> warnings) => warnings.Count == 0
        ? Markup.Empty
        : Markup.Of($"<aside class=\"alert\" aria-label=\"warnings\"><ul>{Items(warnings)}</ul></aside>");

    private static Markup Items(IReadOnlyList<string> texts) =>
        Markup.Lines(texts.Select(t => Markup.Of($"<li>{t}</li>")));
}
