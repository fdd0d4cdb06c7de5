namespace TestPlugins.PrivateB;

public sealed class Derived : Shared.Library.AddedInVersion2;
