using EndToEnd.Tests.Support;
using Host.Tests.Reports;
using Merge.Compute;
using Merge.Reports;
using Microsoft.Playwright;

namespace EndToEnd.Tests.Reports;

/// <summary>Reports as a person sees them: in a real browser, with no network.</summary>
public sealed class ReportInBrowserTests : IDisposable
{
    private readonly Scratch _scratch = new();

    [BrowserFact]
    public async Task A_report_opens_without_an_error_or_a_request_at_any_width()
    {
        await using var browser = await Browser.Open();
        (string Name, string Path)[] reports =
        [
            ("full", Report("full", SampleReports.Full())),
            ("groups", Report("groups", SampleReports.Full(5, 60, 2, i => $"expert-{i}", groups: true))),
            ("many", Report("many", SampleReports.Full(200, 10_000, 900, i => $"/some/long/folder/of/experiments/run-{i}/checkpoint-{i}"))),
            ("one", Report("one", SampleReports.Full(3, 1, 0))),
            ("failed", Report("failed", SampleReports.Full(3, 3, 3))),
            ("bare", Report("bare", SampleReports.Bare)),
            ("hostile", Report("hostile", SampleReports.Full(3, 5, 2, i => SampleReports.Hostile + i) with
            {
                Title = SampleReports.Hostile,
                RebuildCommand = SampleReports.Hostile,
                Warnings = [SampleReports.Hostile],
            })),
            ("curvature", Curvature()),
        ];
        foreach (var (name, path) in reports)
        {
            foreach (var width in new[] { 1100, 360 })
            {
                var page = await browser.Show(path, width);
                Assert.True(page.Troubles.Count == 0, $"{name}: {string.Join("; ", page.Troubles)}");
                var needed = await page.Page.EvaluateAsync<int>("document.documentElement.scrollWidth");
                Assert.True(needed <= width, $"{name} is {needed} wide on a screen of {width}");
                await page.Page.Context.CloseAsync();
            }
        }
    }

    [BrowserFact]
    public async Task Every_part_is_there_and_named_for_those_who_cannot_see_it()
    {
        await using var browser = await Browser.Open();
        var page = (await browser.Show(Report("full", SampleReports.Full()))).Page;
        foreach (var id in new[] { "convergence", "coefficients", "ingredients", "trust", "distances", "trials", "failures", "recipe" })
            Assert.True(await page.Locator($"section#{id} h2").IsVisibleAsync(), id);
        Assert.Equal("merge run digits-lcsc.best.yaml --out best-model", await page.InnerTextAsync("#rebuild"));
        foreach (var chart in new[]
        {
            "Convergence", "coefficient", "Scores of single models and merges", "Differences on the same examples",
            "The best candidates on both splits", "Map of the models", "Cosines of the models' task vectors",
        })
            Assert.Equal(1, await page.GetByRole(AriaRole.Img, new() { Name = chart }).CountAsync());
        Assert.Equal(await page.Locator("figure").CountAsync(), await page.Locator("figure details table").CountAsync());
        // Laid out, and not empty.
        Assert.All(await page.Locator("figure svg[role=img]").AllAsync(), svg =>
            Assert.True(svg.BoundingBoxAsync().Result is { Width: > 500, Height: > 80 }));
    }

    [BrowserFact]
    public async Task A_table_is_sorted_by_a_click_and_read_without_script()
    {
        await using var browser = await Browser.Open();
        var path = Report("full", SampleReports.Full(3, 60, 4));
        var page = (await browser.Show(path)).Page;
        var button = page.Locator("table.sortable th button").Nth(2);
        await button.ClickAsync();
        var falling = await Column(page, 2);
        Assert.Equal("descending", await page.Locator("table.sortable th").Nth(2).GetAttributeAsync("aria-sort"));
        await button.ClickAsync();
        var rising = await Column(page, 2);
        double[] scores = [.. falling.Where(v => v.Length > 0).Select(double.Parse)];
        Assert.Equal(56, scores.Length);
        Assert.Equal(scores.OrderDescending(), scores);
        Assert.Equal(scores.Order(), rising.Where(v => v.Length > 0).Select(double.Parse));
        // Trials without a score stay below, whatever the order.
        Assert.All(falling[56..].Concat(rising[56..]), v => Assert.Equal("", v));

        var plain = (await browser.Show(path, script: false)).Page;
        Assert.Equal(60, await plain.Locator("table.sortable tbody tr").CountAsync());
        Assert.Equal(0, await plain.Locator("table.sortable th button").CountAsync());
    }

    [BrowserFact]
    public async Task Dark_is_dark_and_paper_is_white()
    {
        await using var browser = await Browser.Open();
        var path = Report("full", SampleReports.Full());
        var light = await Colours((await browser.Show(path)).Page);
        var page = (await browser.Show(path, scheme: ColorScheme.Dark)).Page;
        var dark = await Colours(page);
        await page.EmulateMediaAsync(new() { Media = Media.Print });
        var paper = await Colours(page);
        Assert.Equal("rgb(255, 255, 255)", light.Paper);
        Assert.True(Contrast(light) > 10 && Contrast(dark) > 10 && Luminance(dark.Paper) < 0.05);
        Assert.NotEqual(light.Mark, dark.Mark);
        Assert.Equal(light, paper);
        Assert.False(await page.Locator("figure details").First.IsVisibleAsync());
        // Eleven pages or so, not one a trial.
        var pdf = await page.PdfAsync(new() { Format = "A4" });
        Assert.InRange(System.Text.Encoding.Latin1.GetString(pdf).Split("/Type /Page\n").Length - 1, 3, 12);
    }

    public void Dispose() => _scratch.Dispose();

    private string Report(string name, ReportData data)
    {
        var path = _scratch[$"{name}.html"];
        HtmlReport.Write(data, new ManagedLinearAlgebra(), path);
        return path;
    }

    private string Curvature()
    {
        File.WriteAllText(_scratch["curvature.html"], CurvatureReport.Of(SampleReports.Curvature));
        return _scratch["curvature.html"];
    }

    private static async Task<string[]> Column(IPage page, int column) => await page.EvaluateAsync<string[]>(
        "column => [...document.querySelectorAll('table.sortable tbody tr')].map(r => r.cells[column].dataset.value)", column);

    private static async Task<(string Paper, string Ink, string Mark)> Colours(IPage page) => (
        await page.EvaluateAsync<string>("getComputedStyle(document.body).backgroundColor"),
        await page.EvaluateAsync<string>("getComputedStyle(document.body).color"),
        await page.EvaluateAsync<string>("getComputedStyle(document.querySelector('figure .line.blue')).stroke"));

    // WCAG 2: (L1 + 0.05) / (L2 + 0.05).
    private static double Contrast((string Paper, string Ink, string Mark) colours)
    {
        var (a, b) = (Luminance(colours.Paper), Luminance(colours.Ink));
        return (Math.Max(a, b) + 0.05) / (Math.Min(a, b) + 0.05);
    }

    private static double Luminance(string rgb)
    {
        double[] linear = [.. rgb[4..^1].Split(',').Select(c => double.Parse(c) / 255)
            .Select(c => c <= 0.04045 ? c / 12.92 : Math.Pow((c + 0.055) / 1.055, 2.4))];
        return (0.2126 * linear[0]) + (0.7152 * linear[1]) + (0.0722 * linear[2]);
    }
}
