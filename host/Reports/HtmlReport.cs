namespace Merge.Reports;

/// <summary>The report of a search or a soup: one HTML file that needs nothing else.</summary>
internal static class HtmlReport
{
    /// <summary>Writes it, over what is there.</summary>
    public static void Write(ReportData data, string path) => File.WriteAllText(path, Of(data));

    public static string Of(ReportData data) => Markup.Of($"<!doctype html><title>{data.Title}</title>").ToString();
}
