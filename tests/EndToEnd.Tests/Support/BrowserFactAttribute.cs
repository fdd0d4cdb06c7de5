namespace EndToEnd.Tests.Support;

/// <summary>A test in a browser: skipped, as unavailable, where there is none.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class BrowserFactAttribute : FactAttribute
{
    public BrowserFactAttribute()
    {
        if (Browser.Program is null)
            Skip = "unavailable: chromium is not installed";
    }
}
