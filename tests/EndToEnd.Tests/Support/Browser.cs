using Microsoft.Playwright;

namespace EndToEnd.Tests.Support;

/// <summary>The distribution's Chromium without a window. Whatever it is shown, it shall not reach the network.</summary>
internal sealed class Browser : IAsyncDisposable
{
    private static readonly string[] _programs = ["chromium", "chromium-browser", "google-chrome"];

    private readonly IPlaywright _playwright;
    private readonly IBrowser _browser;

    private Browser(IPlaywright playwright, IBrowser browser) => (_playwright, _browser) = (playwright, browser);

    /// <summary>Where it is; null where it is not installed.</summary>
    public static string? Program { get; } = (Environment.GetEnvironmentVariable("PATH") ?? "")
        .Split(Path.PathSeparator)
        .SelectMany(folder => _programs.Select(name => Path.Combine(folder, name)))
        .FirstOrDefault(File.Exists);

    public static async Task<Browser> Open()
    {
        var playwright = await Playwright.CreateAsync();
        var browser = await playwright.Chromium.LaunchAsync(new()
        {
            ExecutablePath = Program,
            // Its sandbox needs a user of its own, which a container's root is not.
            Args =
            [
                "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
                "--disable-component-update", "--disable-sync",
            ],
        });
        return new(playwright, browser);
    }

    /// <summary>Opens a file as a reader with such a screen sees it.</summary>
    public async Task<OpenPage> Show(string path, int width = 1100, ColorScheme scheme = ColorScheme.Light, bool script = true)
    {
        var context = await _browser.NewContextAsync(new()
        {
            ViewportSize = new() { Width = width, Height = 900 },
            ColorScheme = scheme,
            JavaScriptEnabled = script,
        });
        var page = new OpenPage(await context.NewPageAsync());
        await page.Page.GotoAsync(new Uri(path).AbsoluteUri);
        return page;
    }

    public async ValueTask DisposeAsync()
    {
        await _browser.CloseAsync();
        _playwright.Dispose();
    }
}

/// <summary>A page and whatever went wrong on it.</summary>
internal sealed class OpenPage
{
    public OpenPage(IPage page)
    {
        Page = page;
        page.Console += (_, message) => Troubles.Add($"console: {message.Text}");
        page.PageError += (_, error) => Troubles.Add($"error: {error}");
        page.Dialog += (_, dialog) => Troubles.Add($"dialog: {dialog.Message}");
        page.Request += (_, request) =>
        {
            // What has a data: address is in the page itself.
            if (request.Url != page.Url && !request.Url.StartsWith("data:", StringComparison.Ordinal)
                && (request.Frame != page.MainFrame || !request.IsNavigationRequest))
                Troubles.Add($"request: {request.Url}");
        };
    }

    public IPage Page { get; }

    public List<string> Troubles { get; } = [];
}
