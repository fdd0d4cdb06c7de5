namespace TestPlugins.NotAPlugin;

public static class Something;
