namespace Shared.Library;

public static class Release
{
    public static string Text => "release 1";
}
