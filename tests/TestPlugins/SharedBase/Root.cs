namespace Shared.Base;

public class Root;
